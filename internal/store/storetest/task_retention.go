// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"testing"

	"fairlead/internal/contract"
	"fairlead/internal/deploy"
	"fairlead/internal/errkind"
	"fairlead/internal/store"
)

// tasksGo deletes a task with what hangs on it; another one keeps its own.
func tasksGo(t *testing.T, s store.Store) {
	update(t, s, func(w store.Writer) error {
		err := project(w, "Projects-1", "Releases-1", "ServerTasks-1")
		for _, n := range []string{"1", "2"} {
			task := deploy.TaskID("ServerTasks-" + n)
			err = errors.Join(err, w.PutTask(deploy.Task{ID: task, State: deploy.TaskSuccess}),
				w.PutTicket(deploy.Ticket{ID: contract.TicketID("a-" + n), Task: task, Machine: "Machines-1", Attempt: 1}),
				w.PutTicket(deploy.Ticket{ID: contract.TicketID("b-" + n), Task: task, Machine: "Machines-1", Attempt: 2}),
				w.PutOutputs(deploy.Outputs{Ticket: contract.TicketID("a-" + n), Task: task}),
				w.PutInterruption(deploy.Interruption{ID: deploy.InterruptionID("Interruptions-" + n), Task: task}),
				w.PutArtifact(deploy.Artifact{ID: deploy.ArtifactID("Artifacts-" + n), Task: task}))
		}
		return errors.Join(err, w.PutDeployment(deploy.Deployment{
			ID: "Deployments-1", Project: "Projects-1", Release: "Releases-1", Task: "ServerTasks-1",
		}))
	})
	update(t, s, func(w store.Writer) error {
		gone, err := w.DeleteTask("ServerTasks-1")
		same(t, "what went", store.DeletedTask{Tickets: 2, Interruptions: 1, Outputs: 1, Artifacts: 1}, gone)
		same(t, "rows", int64(6), gone.Rows())
		return err
	})
	refused(t, s, errkind.NotFound, func(w store.Writer) error { return second(w.DeleteTask("ServerTasks-1")) })
	view(t, s, func(r store.Reader) error {
		for what, err := range map[string]error{
			"task": second(r.Task("ServerTasks-1")), "ticket": second(r.Ticket("b-1")),
			"interruption": second(r.Interruption("Interruptions-1")), "artifact": second(r.Artifact("Artifacts-1")),
		} {
			if errkind.Of(err) != errkind.NotFound {
				t.Errorf("%s of a deleted task = %v, want not-found", what, err)
			}
		}
		outputs, err := r.Outputs("ServerTasks-1")
		same(t, "outputs", []deploy.Outputs(nil), outputs)
		others, oerr := r.Outputs("ServerTasks-2")
		same(t, "outputs of the other", 1, len(others))
		known, kerr := r.KnownTasks([]deploy.TaskID{"ServerTasks-2", "ServerTasks-1", "ServerTasks-3"})
		same(t, "tasks that there are", []deploy.TaskID{"ServerTasks-2"}, known)
		return errors.Join(err, oerr, kerr, second(r.Deployment("Deployments-1")), second(r.Task("ServerTasks-2")),
			second(r.Ticket("a-2")), second(r.Interruption("Interruptions-2")), second(r.Artifact("Artifacts-2")))
	})
}

// tasksAreLoose tells those that retention may look at from the others.
func tasksAreLoose(t *testing.T, s store.Store) {
	put := func(
		w store.Writer, id deploy.TaskID, space deploy.SpaceID, kind deploy.TaskKind, state deploy.TaskState, end int,
	) error {
		return w.PutTask(deploy.Task{ID: id, Space: space, Kind: kind, State: state, CompletedAt: moment(end)})
	}
	ticket := func(w store.Writer, task deploy.TaskID, machine deploy.MachineID, state deploy.TicketState) error {
		return w.PutTicket(deploy.Ticket{
			ID: contract.TicketID("t-" + string(task)), Task: task, Machine: machine, Attempt: 1, State: state,
		})
	}
	update(t, s, func(w store.Writer) error {
		return errors.Join(project(w, "Projects-1", "Releases-1", "T-1"),
			w.PutMachine(deploy.Machine{ID: "Machines-1", Name: "web-1"}),
			put(w, "T-1", "S", deploy.DeployTask, deploy.TaskSuccess, 1),
			w.PutDeployment(deploy.Deployment{ID: "D-1", Project: "Projects-1", Release: "Releases-1", Task: "T-1"}),
			put(w, "T-2", "S", deploy.DeployTask, deploy.TaskFailed, 9),
			put(w, "T-3", "S", deploy.ScriptTask, deploy.TaskExecuting, 0),
			put(w, "T-4", "S", deploy.ScriptTask, deploy.TaskCancelling, 0),
			put(w, "T-5", "S", deploy.ScriptTask, deploy.TaskQueued, 0),
			put(w, "T-6", "S", deploy.ScriptTask, deploy.TaskCanceled, 5),
			ticket(w, "T-6", "Machines-1", deploy.TicketFinished),
			put(w, "T-10", "S", deploy.ScriptTask, deploy.TaskTimedOut, 4),
			ticket(w, "T-10", "Machines-1", deploy.TicketForgotten),
			put(w, "T-9", "S", deploy.HealthTask, deploy.TaskSuccess, 4),
			ticket(w, "T-9", "Machines-gone", deploy.TicketFinished),
			put(w, "T-11", "S", deploy.ScriptTask, deploy.TaskSuccess, 6),
			ticket(w, "T-11", "Machines-1", deploy.TicketOpen),
			put(w, "T-12", "S", deploy.ScriptTask, deploy.TaskSuccess, 7),
			w.PutInterruption(deploy.Interruption{ID: "I-1", Task: "T-12"}),
			w.PutInterruption(deploy.Interruption{ID: "I-2", Task: "T-2", Choice: deploy.ChoiceFail}),
			put(w, "T-13", "S-other", deploy.ScriptTask, deploy.TaskSuccess, 1))
	})
	held := func(id deploy.TaskID, end int) deploy.LooseTask {
		return deploy.LooseTask{ID: id, Kind: deploy.ScriptTask, EndedAt: moment(end), IsHeld: true}
	}
	view(t, s, func(r store.Reader) error {
		all, err := r.LooseTasks("S")
		same(t, "loose tasks", []deploy.LooseTask{
			{ID: "T-9", Kind: deploy.HealthTask, EndedAt: moment(4)},
			{ID: "T-10", Kind: deploy.ScriptTask, EndedAt: moment(4)},
			held("T-6", 5), held("T-11", 6), held("T-12", 7),
			{ID: "T-2", Kind: deploy.DeployTask, EndedAt: moment(9)},
		}, all)
		some, serr := r.LooseTasks("S", "T-2", "T-1", "T-13", "T-6", "T-3", "T-nil")
		same(t, "loose ones of some", []deploy.LooseTask{
			held("T-6", 5), {ID: "T-2", Kind: deploy.DeployTask, EndedAt: moment(9)},
		}, some)
		return errors.Join(err, serr)
	})
}

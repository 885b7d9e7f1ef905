// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package clientstory_test

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/environments"
	"github.com/OctopusDeploy/go-octopusdeploy/v2/pkg/tasks"
)

// commandLine is Octopus's command line client. It reaches the server through a proxy that ends TLS, as operations.md
// advises, and finds everything in its environment.
type commandLine struct {
	*office
	program string
	env     []string
}

// row is an item of a JSON answer; members that the test does not name do not matter.
type row = map[string]any

// openCommandLine signs the client in.
func openCommandLine(t *testing.T) *commandLine {
	t.Helper()
	program := os.Getenv("OCTOPUS_CLIENT")
	if program == "" {
		t.Fatal("OCTOPUS_CLIENT names no octopus program: run make story, which builds it and sets this")
	}
	o := openOffice(t)
	proxy := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: o.HTTP})
	}})
	t.Cleanup(proxy.Close)
	authority := filepath.Join(o.Dir, "proxy.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: proxy.Certificate().Raw})
	must(t, os.WriteFile(authority, certificate, 0o600))
	key := try(os.ReadFile(o.KeyFile())).must(t)
	return &commandLine{office: o, program: program, env: []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(o.Dir, "home"), "SSL_CERT_FILE=" + authority, "NO_COLOR=1",
		"OCTOPUS_URL=" + proxy.URL, "OCTOPUS_API_KEY=" + strings.TrimSpace(string(key)), "OCTOPUS_SPACE=Default",
	}}
}

// run is what the client prints. Arguments are given as a user types them: words between blanks, or in quotes.
func (c *commandLine) run(t *testing.T, line string) (string, error) {
	t.Helper()
	var out, complaint bytes.Buffer
	cmd := exec.CommandContext(t.Context(), c.program, append(words(line), "--no-prompt")...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = c.env, c.Dir, &out, &complaint
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("octopus %s: %w: %s%s", line, err, &out, &complaint)
	}
	return out.String(), nil
}

// words splits a line at blanks outside of quotes.
func words(line string) (list []string) {
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			list = append(list, part)
			continue
		}
		list = append(list, strings.Fields(part)...)
	}
	return list
}

// says runs a command that must succeed and print each text.
func (c *commandLine) says(t *testing.T, line string, texts ...string) {
	t.Helper()
	out := try(c.run(t, line)).must(t)
	for _, text := range texts {
		contains(t, out, text)
	}
}

// refuses runs a command that must fail and tell why.
func (c *commandLine) refuses(t *testing.T, line, why string) {
	t.Helper()
	if out, err := c.run(t, line); err == nil {
		t.Errorf("octopus %s succeeded and said %q, want %q", line, out, why)
	} else {
		contains(t, err.Error(), why)
	}
}

// list runs a command with JSON output and compares the members that want names, item by item.
func (c *commandLine) list(t *testing.T, line string, want ...row) []row {
	t.Helper()
	out := try(c.run(t, line+" -f json")).must(t)
	var got []row
	if strings.HasPrefix(out, "{") {
		out = "[" + out + "]"
	}
	must(t, json.Unmarshal([]byte(out), &got))
	if len(got) != len(want) {
		t.Fatalf("octopus %s answers %d items, want %d: %s", line, len(got), len(want), out)
	}
	for i := range want {
		for name, value := range want[i] {
			equal(t, fmt.Sprintf("octopus %s: %s of item %d", line, name, i), text(got[i][name]), text(value))
		}
	}
	return got
}

func text(value any) string { return fmt.Sprint(value) }

// TestCommandLine plays a story with the client: from an empty server to two releases deployed, and all deleted again.
func TestCommandLine(t *testing.T) {
	c := openCommandLine(t)
	for _, chapter := range []struct {
		name string
		tell func(*testing.T)
	}{
		{"an empty server", c.anEmptyServer},
		{"a space that comes and goes", c.aSpace},
		{"machines", c.machines},
		{"projects and groups", c.projectsAndGroups},
		{"variables", c.variables},
		{"accounts", c.accounts},
		{"packages", c.packages},
		{"releases", c.releases},
		{"deployments", c.deployments},
		{"what comes later", c.comesLater},
		{"everything deleted", c.deleteAll},
	} {
		if !t.Run(chapter.name, chapter.tell) {
			t.Fatalf("the story ends with the chapter %q: the ones after it need it", chapter.name)
		}
	}
}

func (c *commandLine) anEmptyServer(t *testing.T) {
	c.says(t, "config set Space Default")
	c.says(t, "config get Space", "Default")
	c.list(t, "space list", row{"Id": space, "Name": "Default", "TaskQueue": "Running"})
	c.says(t, "space view Default", "Default (Spaces-1)")
	c.says(t, "project list -f basic")
	try(c.client.Environments.Add(environments.NewEnvironment(environment))).must(t)
	c.list(t, "environment list", row{"Name": environment})
	c.list(t, "user list", row{"UserName": "admin"})
	for _, nothing := range []string{"project", "account", "tenant", "worker", "worker-pool", "package", "deployment-target"} {
		c.list(t, nothing+" list")
	}
	c.refuses(t, "environment list --space Elsewhere", "cannot find space 'Elsewhere'")
}

// aSpace makes a space and deletes it, which stops its task queue first.
func (c *commandLine) aSpace(t *testing.T) {
	c.says(t, `space create -n "Short lived" -d "for a test" -u admin`, "Short lived")
	c.list(t, "space list", row{"Name": "Default"}, row{"Name": "Short lived", "TaskQueue": "Running"})
	c.list(t, `project-group list --space "Short lived"`, row{"Name": "Default Project Group"})
	c.refuses(t, "space delete Elsewhere -y", "cannot find")
	c.refuses(t, "space delete Default -y", "default space")
	c.says(t, `space delete "Short lived" -y`)
	c.list(t, "space list", row{"Name": "Default", "TaskQueue": "Running"})
	c.refuses(t, `project-group list --space "Short lived"`, "cannot find space 'Short lived'")
}

func (c *commandLine) machines(t *testing.T) {
	c.staff(t)
	c.list(t, "deployment-target list",
		row{"Name": "web-1", "Type": "TentacleActive", "Roles": []any{tag}},
		row{"Name": "web-2", "Type": "TentaclePassive", "Roles": []any{tag}})
	c.says(t, "deployment-target view web-1", "web-1 (Machines-1)", "poll://", environment)
	c.says(t, "deployment-target listening-tentacle view web-2", "web-2 (Machines-2)", "https://")
	c.list(t, "deployment-target polling-tentacle list", row{"Name": "web-1"})
	c.list(t, "deployment-target ssh list")
	pin := strings.Repeat("5", 64)
	c.says(t, fmt.Sprintf(`deployment-target listening-tentacle create -n spare --environment %s --role %s --url https://127.0.0.1:1
		--thumbprint %s --machine-policy "Default Machine Policy"`, environment, "spare", pin), "Successfully created")
	c.says(t, "deployment-target delete spare -y")
	c.refuses(t, "deployment-target cloud-region create -n cloud --environment "+environment+" --role web", "later version")
	c.refuses(t, "deployment-target delete nobody -y", "cannot find")
}

func (c *commandLine) projectsAndGroups(t *testing.T) {
	c.says(t, `project-group create -n Shops -d "what sells"`, "Successfully created project group Shops")
	c.refuses(t, "project-group create -n shops", "exists already")
	c.says(t, `project create -n Shop -g Shops -l "Default Lifecycle" -d "a shop"`, "Successfully created project 'Shop' (shop)")
	c.says(t, `project clone -n Twin --source Shop -g Shops`, "Successfully cloned project 'Twin'")
	c.list(t, "project list", row{"Name": "Shop", "Description": "a shop"}, row{"Name": "Twin"})
	c.says(t, "project view shop", "Shop (shop)", "a shop")
	c.says(t, "project-group view Shops", "what sells", "Shop", "Twin")
	c.refuses(t, "project-group delete Shops -y", "holds project Shop")
	c.says(t, "project delete Twin -y")
	shop := try(c.client.Projects.GetByName("Shop")).must(t)
	c.steps(t, shop, packageStep("Install", "parcel"),
		scriptStep("Greet", `echo "#{Greeting}, #{Customer}, this is #{Octopus.Machine.Name}; #{Late}"`),
		scriptStep("Leave", "echo left"))
}

func (c *commandLine) variables(t *testing.T) {
	c.says(t, "project variables create -p Shop -n Greeting --value Hello", "Successfully created variable 'Greeting'")
	c.says(t, "project variables create -p Shop -n Greeting --value Welcome --environment-scope "+environment+
		" --role-scope web --target-scope web-2 --step-scope Greet")
	c.says(t, "project variables create -p Shop -n Secret --type sensitive --value hush")
	c.says(t, `project variables create -p Shop -n Customer --value nobody --prompted --prompt-label "Who comes"
		--prompt-type dropdown --prompt-dropdown-option "nobody|Nobody" --prompt-dropdown-option "everybody|All of you"`)
	rows := c.list(t, "project variables list -p Shop", row{"Name": "Customer", "Value": "nobody"},
		row{"Name": "Greeting", "Value": "Hello"}, row{"Name": "Greeting", "Value": "Welcome"},
		row{"Name": "Secret", "Value": "", "IsSensitive": true})
	c.refuses(t, "project variables update -p Shop -n Greeting --value Hi", "multiple values")
	c.says(t, fmt.Sprintf("project variables update -p Shop -n Greeting --value Hi --id %v", rows[1]["Id"]))
	c.says(t, "project variables view Greeting -p Shop", "Hi", "Welcome", "web-2", "Greet")
	c.says(t, "project variables delete -p Shop -n Secret -y")
	c.says(t, "project variables view Customer -p Shop", "nobody")
	c.refuses(t, "project variables create -p Shop -n Cloud --type awsaccount --value key", "later version")
}

func (c *commandLine) accounts(t *testing.T) {
	c.says(t, "account token create -n robot -t hush-1 -d token -e "+environment, "Successfully created Token account robot")
	c.says(t, "account username create -n person -u me -p hush-2", "Successfully created Username account person")
	must(t, os.WriteFile(filepath.Join(c.Dir, "login-key"), []byte("a private key"), 0o600))
	c.says(t, "account ssh create -n login -u me -K login-key", "Successfully created SSH account login")
	c.list(t, "account list", row{"Name": "login", "Type": "SshKeyPair"}, row{"Name": "person", "Type": "UsernamePassword"},
		row{"Name": "robot", "Type": "Token"})
	c.list(t, "account username list", row{"Name": "person", "Username": "me"})
	c.refuses(t, "account token create -n robot -t again", "exists already")
	c.refuses(t, "account aws create -n cloud --access-key a --secret-key b",
		`accounts of the type "AmazonWebServicesAccount" come with a later version`)
	for _, name := range []string{"login", "person", "robot"} {
		c.says(t, "account delete "+name+" -y")
	}
	c.list(t, "account list")
}

func (c *commandLine) packages(t *testing.T) {
	must(t, os.MkdirAll(filepath.Join(c.Dir, "content"), 0o700))
	must(t, os.MkdirAll(filepath.Join(c.Dir, "packed"), 0o700))
	for _, version := range []string{"1.0.0", "1.1.0"} {
		must(t, os.WriteFile(filepath.Join(c.Dir, "content", "index.html"), []byte(version), 0o600))
		c.says(t, "package zip create --id parcel --version "+version+" --base-path content --out-folder packed")
	}
	c.says(t, "package nuget create --id crate --version 2.0.0 --base-path content --out-folder packed --author me")
	c.says(t, "package upload packed/parcel.1.0.0.zip", "Uploaded package packed/parcel.1.0.0.zip")
	c.says(t, "package upload packed/parcel.1.0.0.zip --overwrite-mode ignore", "Ignored existing package")
	out := try(c.run(t, "package upload packed/* --overwrite-mode overwrite -f json")).must(t)
	contains(t, out, "packed/crate.2.0.0.nupkg")
	c.refuses(t, "package upload content/index.html", "does not end in .zip, .nupkg")
	c.list(t, "package list", row{"ID": "crate", "Version": "2.0.0"}, row{"ID": "parcel", "Version": "1.1.0"})
	c.list(t, "package list -q par --limit 1", row{"ID": "parcel"})
	c.list(t, "package versions --package parcel", row{"Version": "1.1.0"}, row{"Version": "1.0.0"})
	c.list(t, "package versions --package nothing")
}

func (c *commandLine) releases(t *testing.T) {
	c.list(t, "release create -p Shop -v 1.0.0 --package-version 1.0.0 --release-notes first",
		row{"Version": "1.0.0", "Channel": "Default"})
	c.says(t, "release create -p Shop -v 2.0.0 --package parcel:1.1.0 -c Default -f basic", "2.0.0")
	c.says(t, "release create -p Shop -v 3.0.0 --package Install:1.1.0")
	c.refuses(t, "release create -p Shop -v 1.0.0", "has a release 1.0.0 already")
	c.says(t, "release create -p Shop -v 1.0.0 --ignore-existing", "release version 1.0.0")
	c.refuses(t, "release create -p Shop -v 4.0.0 --package-version 9.0.0", "the feed does not hold it")
	c.refuses(t, "release create -p Shop -v 4.0.0 --git-ref main", "Git comes with a later version")
	c.list(t, "release list -p Shop", row{"Version": "3.0.0"}, row{"Version": "2.0.0"}, row{"Version": "1.0.0"})
	c.says(t, "release delete -p Shop -v 3.0.0", "Successfully deleted 1 releases")
}

// deploys deploys and waits; answers the log.
func (c *commandLine) deploys(t *testing.T, version, more string) string {
	t.Helper()
	line := "release deploy -p Shop --version " + version + " -e " + environment + " " + more + " -f basic"
	task := strings.TrimSpace(try(c.run(t, line)).must(t))
	c.says(t, "task wait "+task, "Deploy Shop release "+version+" to "+environment)
	c.succeed(t, task)
	return try(c.REST.RawLog(t.Context(), task)).must(t)
}

func (c *commandLine) deployments(t *testing.T) {
	log := c.deploys(t, "1.0.0", "-v Customer:everybody")
	contains(t, log, "Hi, everybody, this is web-1")
	contains(t, log, "Welcome, everybody, this is web-2")
	log = c.deploys(t, "2.0.0", "--exclude-deployment-target web-2 --skip Leave --guided-failure true --force-package-download")
	contains(t, log, "Hi, nobody, this is web-1; #{Late}")
	lacks(t, log, "this is web-2")
	lacks(t, log, "\nleft")

	c.says(t, `project variables create -p Shop -n Late --value "in time"`)
	log = c.deploys(t, "2.0.0", "--update-variables")
	contains(t, log, "this is web-2; in time")

	deploy := "release deploy -p Shop --version 2.0.0 -e " + environment
	c.refuses(t, deploy+" --skip Laeve", `the release has no step of that name`)
	c.refuses(t, deploy+` -v "Who comes:everybody"`, "asks for no variable of that name, but for Customer (Who comes)")
	c.refuses(t, deploy+" -v Customer:somebody", "want one of nobody, everybody")
	c.refuses(t, deploy+" --deployment-target nobody", `there is no machine "nobody"`)
	c.refuses(t, deploy+" --deploy-at tomorrow", `"tomorrow" is no time: want one like`)
	c.refuses(t, "release deploy -p Shop --version 9 -e "+environment, `there is no release "9"`)
	made := c.list(t, deploy+` --deploy-at "2099-12-24 18:00 +01:00" --deploy-at-expiry 2099-12-24T19:00:00Z`, row{})
	task := text(made[0]["ServerTaskId"])
	c.refuses(t, "task wait "+task+" --timeout 1", "timeout while waiting")
	equal(t, "queued until", c.task(t, task).QueueTime.UTC().Hour(), 17)
	try(tasks.Cancel(c.client, space, task)).must(t)
}

// comesLater is what the client offers and this version has not: a sentence each, and nothing made.
func (c *commandLine) comesLater(t *testing.T) {
	for line, why := range map[string]string{
		"tenant create -n t":                                                  "tenants comes with a later version",
		"worker-pool static create -n p":                                      "worker pools comes with a later version",
		"worker-pool dynamic create -n p --worker-type x":                     "worker pools comes with a later version",
		"runbook run -p Shop -n r -e " + environment:                          "runbooks comes with a later version",
		"project branch list -p Shop":                                         "Git comes with a later version",
		"project branch create -p Shop -n b --base-branch main":               "Git comes with a later version",
		"release deploy -p Shop --version 1.0.0 --tenant t -e " + environment: "tenants comes with a later version",
		"project convert -p Shop --git-url https://git.invalid/x --git-username u --git-password p " +
			"--git-credential-store project --git-initial-commit m": "Git comes with a later version",
	} {
		c.refuses(t, line, why)
	}
	c.list(t, "runbook list -p Shop")
	c.refuses(t, "worker view w", "cannot find worker")
	c.refuses(t, "worker-pool view p", "cannot find worker pool")
	c.refuses(t, "tenant view t", "cannot find the item")
}

func (c *commandLine) deleteAll(t *testing.T) {
	c.refuses(t, "environment delete "+environment+" -y", "machine web-1 belongs to environment "+environment)
	c.says(t, "release delete -p Shop -v 2.0.0")
	c.list(t, "release list -p Shop", row{"Version": "1.0.0"})
	c.says(t, "project delete Shop -y")
	c.says(t, "project-group delete Shops -y")
	c.says(t, "deployment-target delete web-1 -y")
	c.says(t, "deployment-target delete web-2 -y")
	c.says(t, "environment delete "+environment+" -y")
	c.refuses(t, "user delete admin -y", "cannot be deleted")
	for _, nothing := range []string{"project", "deployment-target", "environment"} {
		c.list(t, nothing+" list")
	}
}

// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

package trust_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fairlead/internal/errkind"
	"fairlead/internal/host"
	"fairlead/internal/trust"
)

// stated makes a bundle of "srv-a" that names keys and is signed by signers.
func stated(t testing.TB, epoch int64, keys []trust.Identity, signers ...trust.Identity) trust.SignedBundle {
	t.Helper()
	b := trust.Bundle{ServerID: "srv-a", Epoch: epoch, IssuedAt: today()}
	for _, key := range keys {
		b.Pins = append(b.Pins, trust.BundlePin{Pin: key.Pin, Role: trust.RoleServer, NotAfter: key.NotAfter()})
	}
	signed, err := trust.SignBundle(b, signers...)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func opened(t testing.TB, signed trust.SignedBundle) trust.OpenedBundle {
	t.Helper()
	o, err := trust.OpenBundle(signed)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func keys(ids ...trust.Identity) []trust.Identity { return ids }

func TestBundleAccept(t *testing.T) {
	s1, s2, evil := identity(t, "s1"), identity(t, "s2"), identity(t, "evil")
	current := opened(t, stated(t, 5, keys(s1), s1))
	other, err := trust.SignBundle(trust.Bundle{ServerID: "srv-b", Epoch: 6, Pins: []trust.BundlePin{
		{Pin: s1.Pin, Role: trust.RoleServer},
	}}, s1)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name    string
		next    trust.SignedBundle
		changed bool
		kind    errkind.Kind // Internal: accepted
	}{
		{"the same again", current.Signed(), false, errkind.Internal},
		{"next epoch", stated(t, 6, keys(s1), s1), true, errkind.Internal},
		{"epochs left out", stated(t, 60, keys(s1), s1), true, errkind.Internal},
		{"new key, signed by both", stated(t, 6, keys(s2, s1), s1, s2), true, errkind.Internal},
		{"old key gone, signed by both", stated(t, 6, keys(s2), s1, s2), true, errkind.Internal},
		{"B2 lower epoch", stated(t, 4, keys(s1), s1), false, errkind.Conflict},
		{"B2 equal epoch, other content", stated(t, 5, keys(s2, s1), s1, s2), false, errkind.Conflict},
		{"U3 epoch jumps", stated(t, 5+trust.MaxEpochStep+1, keys(s1), s1), false, errkind.Conflict},
		{"U3 highest epoch", stated(t, math.MaxInt64, keys(s1), s1), false, errkind.Conflict},
		{"signed by nobody we know", stated(t, 6, keys(s1), evil), false, errkind.Untrusted},
		{"new key has not signed", stated(t, 6, keys(s2, s1), s1), false, errkind.Untrusted},
		{"new key alone has signed", stated(t, 6, keys(s2), s2), false, errkind.Untrusted},
		{"other server", other, false, errkind.Untrusted},
	} {
		t.Run(row.name, func(t *testing.T) {
			changed, err := trust.Accept(current, opened(t, row.next))
			if row.kind != errkind.Internal {
				wantKind(t, err, row.kind)
			} else if err != nil || changed != row.changed {
				t.Errorf("changed %v, %v", changed, err)
			}
		})
	}
}

func TestBundleFirst(t *testing.T) {
	s1, s2 := identity(t, "s1"), identity(t, "s2")
	if err := trust.AcceptFirst(opened(t, stated(t, 9, keys(s2, s1), s1, s2)), s1.Pin); err != nil {
		t.Error(err)
	}
	wantKind(t, trust.AcceptFirst(opened(t, stated(t, 9, keys(s2), s2)), s1.Pin), errkind.Untrusted)
	wantKind(t, trust.AcceptFirst(opened(t, stated(t, 9, keys(s2, s1), s1)), s1.Pin), errkind.Untrusted)
	wantKind(t, trust.AcceptFirst(trust.OpenedBundle{}, s1.Pin), errkind.Untrusted)
	wantKind(t, trust.AcceptFirst(trust.OpenedBundle{}, trust.Pin{}), errkind.Untrusted)
}

func TestBundleForms(t *testing.T) {
	s1, weak := identity(t, "s1"), judgedWeak(t)
	good := stated(t, 1, keys(s1), s1)
	changedBody, wrongSign, noSign, many, foreignCert := good, good, good, good, good
	changedBody.Body = append(slices.Clone(good.Body[:len(good.Body)-1]), ' ', '}')
	wrongSign.Signatures = []trust.BundleSignature{{Certificate: good.Signatures[0].Certificate, Signature: []byte("no")}}
	noSign.Signatures = nil
	many.Signatures = slices.Repeat(good.Signatures, 4)
	foreignCert.Signatures = []trust.BundleSignature{{Certificate: []byte("no"), Signature: good.Signatures[0].Signature}}
	for name, row := range map[string]struct {
		bundle trust.SignedBundle
		kind   errkind.Kind
	}{
		"empty":             {trust.SignedBundle{}, errkind.Corrupt},
		"changed":           {changedBody, errkind.Untrusted},
		"wrong signature":   {wrongSign, errkind.Untrusted},
		"no signature":      {noSign, errkind.Corrupt},
		"four signatures":   {many, errkind.Corrupt},
		"no certificate":    {foreignCert, errkind.Corrupt},
		"T8 weak signer":    {stated(t, 1, keys(s1), weak), errkind.Untrusted},
		"endless":           {trust.SignedBundle{Body: make([]byte, 1<<20), Signatures: good.Signatures}, errkind.Corrupt},
		"W5 unknown member": {trust.SignedBundle{Body: []byte(`{"x":1}`), Signatures: good.Signatures}, errkind.Corrupt},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := trust.OpenBundle(row.bundle)
			wantKind(t, err, row.kind)
		})
	}
	pin := trust.BundlePin{Pin: s1.Pin, Role: trust.RoleServer}
	for name, b := range map[string]trust.Bundle{
		"no server":   {Epoch: 1, Pins: []trust.BundlePin{pin}},
		"epoch 0":     {ServerID: "srv-a", Pins: []trust.BundlePin{pin}},
		"no pins":     {ServerID: "srv-a", Epoch: 1},
		"twice":       {ServerID: "srv-a", Epoch: 1, Pins: []trust.BundlePin{pin, pin}},
		"T7 as agent": {ServerID: "srv-a", Epoch: 1, Pins: []trust.BundlePin{{Pin: s1.Pin, Role: trust.RoleAgent}}},
		"zero pin":    {ServerID: "srv-a", Epoch: 1, Pins: []trust.BundlePin{{Role: trust.RoleServer}}},
		"four pins": {ServerID: "srv-a", Epoch: 1, Pins: []trust.BundlePin{
			pin,
			{Pin: trust.Pin{1}, Role: trust.RoleServer},
			{Pin: trust.Pin{2}, Role: trust.RoleServer},
			{Pin: trust.Pin{3}, Role: trust.RoleServer},
		}},
	} {
		if _, err := trust.SignBundle(b, s1); errkind.Of(err) != errkind.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func judgedWeak(t *testing.T) trust.Identity {
	t.Helper()
	return forge(t, ecKey(t, p384()), nil)
}

// Whatever bundles arrive in whatever order, the stored epoch never falls, content changes only
// with it, and every key in force was vouched for by one that was in force before and by itself.
func TestBundleAcceptanceIsMonotone(t *testing.T) {
	all := []trust.Identity{identity(t, "s1"), identity(t, "s2"), identity(t, "s3"), identity(t, "s4")}
	folder, outer := t.TempDir(), t
	rapid.Check(t, func(t *rapid.T) {
		path := filepath.Join(folder, "trust.json")
		store, err := trust.CreateTrust(host.Fsync{}, path, opened(outer, stated(outer, 1, all[:1], all[0])), all[0].Pin)
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 12).Draw(t, "bundles") {
			named := subset(t, "named", all)
			signers := subset(t, "signers", all)
			before := store.Current()
			next := stated(outer, rapid.Int64Range(1, 6).Draw(t, "epoch"), named, signers...)
			changed, err := store.Update(next)
			after := store.Current()
			if changed != (cmp.Diff(before, after) != "") || changed && (err != nil || after.Epoch <= before.Epoch) {
				t.Fatalf("changed %v, %v: %v to %v", changed, err, before, after)
			}
			if changed && !vouched(before, after, signers) {
				t.Fatalf("%v took the place of %v, signed by %v", after, before, signers)
			}
			again, err := trust.OpenTrust(host.Fsync{}, path)
			if err != nil || cmp.Diff(again.Current(), after) != "" {
				t.Fatalf("on disk: %v, %v", again, err)
			}
		}
	})
}

func subset(t *rapid.T, label string, all []trust.Identity) []trust.Identity {
	order := rapid.Permutation(all).Draw(t, label)
	return order[:rapid.IntRange(1, trust.MaxServerPins).Draw(t, label+" count")]
}

func vouched(before, after trust.Bundle, signers []trust.Identity) bool {
	signed := func(pin trust.Pin) bool {
		return slices.ContainsFunc(signers, func(id trust.Identity) bool { return id.Pin == pin })
	}
	for _, pin := range after.ServerPins() {
		if !slices.Contains(before.ServerPins(), pin) && !signed(pin) {
			return false
		}
	}
	return slices.ContainsFunc(before.ServerPins(), signed)
}

func TestTrustStore(t *testing.T) {
	s1, s2 := identity(t, "s1"), identity(t, "s2")
	path := filepath.Join(t.TempDir(), "trust.json")
	_, err := trust.OpenTrust(host.Fsync{}, path)
	wantKind(t, err, errkind.NotFound, "fairlead-agent join")
	_, err = trust.CreateTrust(host.Fsync{}, path, opened(t, stated(t, 1, keys(s1), s1)), s2.Pin)
	wantKind(t, err, errkind.Untrusted)
	store, err := trust.CreateTrust(host.Fsync{}, path, opened(t, stated(t, 1, keys(s1), s1)), s1.Pin)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	if _, err := store.Accept(s2.Pin); errkind.Of(err) != errkind.Untrusted {
		t.Errorf("a key that is not in the bundle: %v", err)
	}
	if changed, err := store.Update(stated(t, 2, keys(s2, s1), s1, s2)); err != nil || !changed {
		t.Fatalf("%v, %v", changed, err)
	}
	if grant, err := store.Accept(s2.Pin); err != nil || grant != (trust.Grant{Role: trust.RoleServer, Subject: "srv-a"}) {
		t.Errorf("%v, %v", grant, err)
	}
	if pins := store.Current().ServerPins(); !slices.Equal(pins, []trust.Pin{s2.Pin, s1.Pin}) {
		t.Errorf("pins %v", pins)
	}
	t.Run("not durable, not in force", func(t *testing.T) {
		gone := filepath.Join(t.TempDir(), "home")
		os.Mkdir(gone, 0o700)
		store, err := trust.CreateTrust(host.Fsync{}, filepath.Join(gone, "trust.json"), opened(t, stated(t, 1, keys(s1), s1)), s1.Pin)
		if err != nil {
			t.Fatal(err)
		}
		os.RemoveAll(gone)
		if _, err := store.Update(stated(t, 2, keys(s2, s1), s1, s2)); err == nil || store.Current().Epoch != 1 {
			t.Errorf("%v, epoch %d", err, store.Current().Epoch)
		}
	})
	t.Run("damaged", func(t *testing.T) {
		text, _ := os.ReadFile(path)
		for _, damage := range [][]byte{nil, []byte("{}"), text[:len(text)/2], append(slices.Clone(text), text...)} {
			os.WriteFile(path, damage, 0o600)
			_, err := trust.OpenTrust(host.Fsync{}, path)
			wantKind(t, err, errkind.Corrupt, "trust.json", "backup")
		}
		os.WriteFile(path, text, 0o600)
		os.Chmod(path, 0o666)
		_, err := trust.OpenTrust(host.Fsync{}, path)
		wantKind(t, err, errkind.Denied, "chmod 600")
	})
}

func TestOtherKeysSign(t *testing.T) {
	for name, id := range map[string]trust.Identity{
		"Ed25519": forge(t, edwardsKey(t), nil), "RSA 3072": forge(t, rsaKey(t), nil),
	} {
		t.Run(name, func(t *testing.T) {
			good := stated(t, 1, keys(id), id)
			opened(t, good)
			good.Body = append(slices.Clone(good.Body), ' ')
			_, err := trust.OpenBundle(good)
			wantKind(t, err, errkind.Untrusted, "signature")
			h := newHouse(t)
			dial, listen := h.joining(t, id)
			_, asked, served := exchange(t, dial, listen, id, joinRequest(t),
				func(trust.Peer, trust.JoinRequest) (trust.JoinReply, error) { return h.reply(t, "web-01"), nil })
			if asked != nil || served != nil {
				t.Errorf("%v, %v", asked, served)
			}
			path := filepath.Join(t.TempDir(), "identity.pem")
			if err := id.Save(host.Fsync{}, path); err != nil {
				t.Fatal(err)
			}
			if back, err := trust.LoadIdentity(path); err != nil || back.Pin != id.Pin {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestIdentityTimes(t *testing.T) {
	id, err := trust.NewIdentity("x", time.Date(2027, 3, 1, 0, 30, 0, 999, time.FixedZone("", 3600)))
	if err != nil {
		t.Fatal(err)
	}
	if got := id.Certificate.Leaf.NotBefore; !got.Equal(time.Date(2027, 2, 28, 22, 30, 0, 0, time.UTC)) {
		t.Errorf("not before %v", got)
	}
	for _, name := range []string{"", string(make([]byte, 65))} {
		if _, err := trust.NewIdentity(name, today()); errkind.Of(err) != errkind.Invalid {
			t.Errorf("name of %d bytes: %v", len(name), err)
		}
	}
}

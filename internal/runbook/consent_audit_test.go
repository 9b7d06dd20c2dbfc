package runbook

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chatops/internal/chatops"
)

func TestConsentAuditVerify_AWholeChain(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore().chain(3))
	e := &c.store.people.audit[1]
	e.Email, e.Salt = "", nil // erased
	c.must(exitOK, "consent audit verify -o jsonl")
	if got := c.out.String(); !strings.HasPrefix(got, `{"ok":true,"rows":3,"erased":1,"before":0,"head":{"number":3,"hash":"`) || !strings.HasSuffix(got, `"anchors":0,"total":0,"findings":[]}`+"\n") {
		t.Errorf("prints %s", got)
	}
	c.must(exitOK, "consent audit verify")
	if got := c.out.String(); !strings.Contains(got, "ok\ttrue\nrows\t3\n") || strings.Contains(got, "problem") {
		t.Errorf("prints %s", got)
	}
	empty := newConsole(t, newFakeStore())
	empty.must(exitOK, "consent audit verify -o jsonl")
}

func TestConsentAuditVerify_NamesEveryFindingByItsNumber(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		tamper func(f *fakeStore)
		number string
	}{
		{"changed", func(f *fakeStore) { f.people.audit[2].Email = "other@x.example" }, "3"},
		{"deleted", func(f *fakeStore) { f.people.audit = append(f.people.audit[:1:1], f.people.audit[2:]...) }, "2"},
		{"reordered", func(f *fakeStore) {
			f.people.audit[1], f.people.audit[2] = f.people.audit[2], f.people.audit[1]
		}, "2"},
		{"cut off", func(f *fakeStore) { f.people.audit = f.people.audit[:4] }, "5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t, newFakeStore().chain(5))
			tt.tamper(c.store)
			c.must(exitFinding, "consent audit verify -o json")
			if !strings.Contains(c.out.String(), `"number": `+tt.number) || !strings.Contains(c.out.String(), `"ok": false`) {
				t.Errorf("prints %s", &c.out)
			}
			c.must(exitFinding, "consent audit verify -o table")
			if !strings.Contains(c.out.String(), "PROBLEM") {
				t.Errorf("prints %s", &c.out)
			}
			c.says("the record of consent is not as it was written: ")
			quietAbout(t, "the findings", c.out.String())
		})
	}
}

func TestConsentAuditAnchor_FindsACutTail(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "anchors")
	c := newConsole(t, newFakeStore().chain(2))
	c.must(exitOK, "consent audit anchor --out "+path)
	first := c.out.String()
	c.store.chain(2)
	c.must(exitOK, "consent audit anchor -o wide --out "+path)
	raw, err := os.ReadFile(path)
	if err != nil || strings.Count(string(raw), "\n") != 2 || !strings.HasPrefix(string(raw), first) {
		t.Fatalf("the file holds %q, %v", raw, err)
	}
	c.files["anchors"] = string(raw)
	c.must(exitOK, "consent audit verify --anchor anchors -o jsonl")
	if !strings.Contains(c.out.String(), `"anchors":2,`) {
		t.Errorf("prints %s", &c.out)
	}
	// Somebody cuts rows off and makes the head fit.
	c.store.people.audit = c.store.people.audit[:3]
	c.store.people.head = chatops.AuditHead{Number: 3, Hash: c.store.people.audit[2].Hash}
	c.must(exitOK, "consent audit verify")
	c.must(exitFinding, "consent audit verify --anchor anchors -o jsonl")
	if !strings.Contains(c.out.String(), `"number":4`) {
		t.Errorf("prints %s", &c.out)
	}
	c.must(exitFailed, "consent audit anchor --out "+filepath.Join(path, "sub"))
	c.says("--out: ")
}

func TestConsentAuditVerify_OfABadAnchorFile(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore().chain(2))
	c.files["anchors"] = "something\n"
	c.must(exitUsage, "consent audit verify --anchor anchors")
	c.says("line 1 of the anchor file")
	c.must(exitUsage, "consent audit verify --anchor missing")
	c.says("--anchor: open missing")
}

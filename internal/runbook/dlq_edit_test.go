package runbook

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func (f *fakeStore) AlertLineage(_ context.Context, id int64) (*chatops.Lineage, error) {
	l := &chatops.Lineage{ReplacedBy: f.replaced[id]}
	for was, by := range f.replaced {
		if by == id {
			l.Replaces = was
		}
	}
	return l, f.err
}

func (f *fakeStore) ReplaceAlert(ctx context.Context, e chatops.AlertEdit) (int64, error) {
	a, _, err := f.Alert(ctx, e.AlertID)
	if err != nil {
		return 0, err
	}
	if a.Status != chatops.AlertFailed {
		return 0, chatops.Errorf(chatops.CodeConflict, "alert %d is %s: only failed alerts are replaced", a.ID, a.Status)
	}
	made := *a
	a.Status = chatops.AlertDiscarded
	made.ID, made.Status, made.Payload, made.IdempotencyKey = int64(len(f.alerts)+1), chatops.AlertPending, e.Payload, a.ReplacementKey()
	f.alerts = append(f.alerts, made)
	f.replaced = map[int64]int64{e.AlertID: made.ID}
	return made.ID, nil
}

const mondayPayload = `{"item_name":"Jan Kowalski","external_id":"lead:s1","fields":{"city":"Krakow","phone":"601 202 303"}}`

// newEditConsole has a failed item of Monday, where editing is allowed.
func newEditConsole(tb testing.TB) *console {
	tb.Helper()
	c := newConsole(tb, newFakeStore(chatops.AlertFailed))
	c.vars["DLQ_EDIT"] = "true"
	c.store.alerts[0].EventType, c.store.alerts[0].Payload, c.store.alerts[0].IdempotencyKey = chatops.EventMondayItem, []byte(mondayPayload), "lead:s1:monday"
	return c
}

func TestDLQEdit_ReplacesTheAlertAndLinksBoth(t *testing.T) {
	t.Parallel()
	c := newEditConsole(t)
	c.must(exitOK, "dlq edit 1 --set fields.city=Łódź --set=fields.phone=canary-7 --reason typo --yes -o jsonl")
	c.prints(`{"id":1,"replaced_by":2,"lines":4,"dry_run":false}` + "\n")
	c.says("replace alert 1 by one whose payload differs in 4 lines, and send that", "the difference is shown on a terminal only")
	if strings.Contains(c.err.String(), "canary") {
		t.Errorf("a log has personal data: %s", &c.err)
	}
	was, is := c.store.alerts[0], c.store.alerts[1]
	if was.Status != chatops.AlertDiscarded || string(was.Payload) != mondayPayload || c.store.announced != 1 ||
		string(is.Payload) != `{"external_id":"lead:s1","fields":{"city":"Łódź","phone":"canary-7"},"item_name":"Jan Kowalski"}` ||
		is.IdempotencyKey != "lead:s1:monday~1" || is.LeadSession() != "s1" {
		t.Errorf("%+v\n%s", was, is.Payload)
	}
	a := c.store.actions[0]
	if a.Result != "ok: alert 1 is replaced by 2" || strings.Contains(fmt.Sprint(a), "canary") || strings.Contains(a.Command, "Łódź") || a.Reason != "typo" {
		t.Errorf("on record: %+v", a)
	}
	c.must(exitOK, "dlq show 1 -o jsonl")
	if !strings.Contains(c.out.String(), `"replaced_by":2`) {
		t.Errorf("%s", &c.out)
	}
	c.must(exitOK, "dlq show 2 --no-headers")
	if !strings.Contains(c.out.String(), "replaces\t1\n") {
		t.Errorf("%s", &c.out)
	}
	c.must(exitFailed, "dlq edit 1 --set item_name=x --reason again --yes")
	c.says("alert 1 is discarded: only failed alerts are edited")
}

func TestDLQEdit_ShowsTheDifferenceBeforeItAsks(t *testing.T) {
	t.Parallel()
	c := newEditConsole(t).terminal("n\n")
	c.must(exitRefused, "dlq edit 1 --set fields.city=Gdansk --reason typo")
	shown := c.err.String()
	if !strings.HasPrefix(shown, "-     \"city\": \"Krakow\",\n+     \"city\": \"Gdansk\",\n") || !strings.Contains(shown, "Continue?") {
		t.Errorf("%s", shown)
	}
	if len(c.store.actions) > 0 || len(c.store.alerts) != 1 {
		t.Error("something was changed")
	}
	c.must(exitOK, "dlq edit 1 --set fields.city=Gdansk --dry-run -o jsonl")
	c.prints(`{"id":1,"replaced_by":null,"lines":2,"dry_run":true}` + "\n")
	c.must(exitOK, "dlq edit 1 --set fields.city=Krakow --reason typo")
	c.says("the payload is the same: nothing was changed")
}

func TestDLQEdit_OpensTheEditor(t *testing.T) {
	t.Parallel()
	c := newEditConsole(t).terminal("")
	c.vars["EDITOR"] = "sed -i s/Krakow/Poznan/"
	c.must(exitOK, "dlq edit 1 --reason typo --yes")
	c.says("differs in 2 lines")
	if !strings.Contains(string(c.store.alerts[1].Payload), "Poznan") {
		t.Errorf("%s", c.store.alerts[1].Payload)
	}
	c = newEditConsole(t).terminal("y\n")
	c.vars["VISUAL"] = "false"
	c.must(exitFailed, "dlq edit 1 --reason typo")
	c.says("editor false: ", "nothing was changed")
}

func TestDLQEdit_RefusesWhatHasNotTheFormOfItsType(t *testing.T) {
	t.Parallel()
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "payload.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	c := newEditConsole(t)
	for says, payload := range map[string]string{
		"the payload has not the form of monday_item: it is no JSON after": `nonsense`,
		"the field fields has a value of the wrong kind":                   `{"item_name":"canary","external_id":"y","fields":7}`,
		"a field is not known, or something is missing":                    `{"item_name":"x","external_id":"y","canary":7}`,
		"lacks what has to be in it":                                       `{"item_name":"","external_id":"y"}`,
	} {
		c.files["payload.json"] = payload
		c.must(exitUsage, "dlq edit 1 --payload payload.json --reason typo --yes")
		c.says(says)
		if strings.Contains(c.err.String(), "canary") {
			t.Errorf("%s", &c.err)
		}
	}
	for line, code := range map[string]int{
		"1":                                 exitUsage, // no terminal for an editor
		"1 --set a=b":                       exitUsage, // no reason
		"1 --set a=b --reason x --yes":      exitUsage,
		"1 --set nothing --reason x --yes":  exitUsage,
		"1 --set fields.city.x=1 --dry-run": exitUsage,
		"1 --set fields=1 --dry-run":        exitUsage,
		"1 --set fields=x --dry-run":        exitUsage,
		"1 --set a=b --payload " + file("x") + " --reason x": exitUsage,
		"2 --set a=b --reason x":                             exitNotFound,
		"x --set a=b":                                        exitUsage,
	} {
		c.must(code, "dlq edit "+line)
	}
	if len(c.store.actions) > 0 {
		t.Error("something was changed")
	}
	delete(c.vars, "DLQ_EDIT")
	c.must(exitRefused, "dlq edit 1 --set fields.city=x --reason typo --yes")
	c.says("DLQ_EDIT=true allows it")
}

func TestDiffLines_TurnOneTextIntoTheOther(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 8)
		was, is := text.Draw(t, "was"), text.Draw(t, "is")
		diff := diffLines(strings.Join(was, "\n"), strings.Join(is, "\n"))
		removed, added := 0, 0
		for _, line := range diff {
			switch line[:2] {
			case "- ":
				removed++
			case "+ ":
				added++
			}
		}
		if removed+added != len(diff) || len(was)-removed != len(is)-added || (len(diff) == 0) != (fmt.Sprint(was) == fmt.Sprint(is)) {
			t.Fatalf("%v to %v: %q", was, is, diff)
		}
	})
}

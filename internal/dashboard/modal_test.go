package dashboard

import (
	"slices"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// hold lets the test answer questions itself: nothing is carried out.
func (d *desk) hold(key rune) tea.Cmd {
	d.t.Helper()
	_, cmd := d.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{key}})
	return cmd
}

func TestModal_ShowsHowFarItIs(t *testing.T) {
	t.Parallel()
	d := desktop(t)
	d.outcome = counts(`{"matched":3}`, `{"matched":3,"requeued":3}`)
	d.press("2")
	count := d.hold('r')
	d.wait(2 * time.Second)
	d.shows("retry (counting) (cause 85b54c5f5c4b)", "counting, 2s", "esc back")
	d.carry(count)
	d.shows("retry 3 alerts", "y yes  n no  tab reason  c copy the command")
	d.hold('y')
	d.wait(3 * time.Second)
	q := d.modal
	for _, said := range []string{"one", "two", "three", "four\x1b[2J"} {
		d.Update(progressMsg{q, said, nil})
	}
	d.shows("running, 3s", "two", "three", `four\x1b[2J`, "it runs; ctrl+c quits")
	d.hides("one")
	d.press("esc", "n", "z") // what runs is not cut short by a slip
	d.shows("running, 3s")
	d.Update(doneMsg{q, Outcome{Out: []byte(`{"matched":3,"requeued":3}`)}})
	d.shows("12:00:05Z done: retry 3 alerts (cause 85b54c5f5c4b): requeued 3, skipped 0")
}

func TestModal_ThatWasGivenUp_IsNotBroughtBackByItsCount(t *testing.T) {
	t.Parallel()
	d := desktop(t)
	d.press("2")
	count := d.hold('r')
	d.press("esc")
	d.shows("nothing was changed")
	d.carry(count)
	d.hides("Continue?")
	if d.modal != nil {
		t.Error("the question came back")
	}
}

func TestModal_AReasonIsTypedAndKept(t *testing.T) {
	t.Parallel()
	d := desktop(t)
	d.outcome = counts(`{"matched":3}`, `{"matched":3,"requeued":3}`)
	d.press("2", "r", "tab", "yes n")
	d.shows("reason       yes n_") // letters are text now, and answer nothing
	d.press("backspace", "tab")
	d.shows("reason       yes")
	d.press("y")
	if last := d.ran[len(d.ran)-1]; !slices.Contains(last, "yes ") {
		t.Errorf("ran %q", last)
	}
}

func TestModal_AnswersOfTheWrongKind_AreNoYes(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"Y", " ", "enter", "tab", "1", "q", "r"} {
		d := desktop(t)
		d.outcome = counts(`{"matched":3}`, `{"matched":3,"requeued":3}`)
		d.press("2", "r", key)
		if len(d.ran) != 1 || d.modal == nil {
			t.Errorf("after %q ran %v", key, d.ran)
		}
	}
}

func TestDone_LooksAtEverythingAgainAndForgetsMarks(t *testing.T) {
	t.Parallel()
	d := desktop(t)
	d.outcome = counts(`{"matched":2}`, `{"matched":2,"requeued":2}`)
	d.press("1", "enter", "space", "space")
	d.shows("2 marked")
	asked := d.sources.asked
	d.press("r", "y")
	d.hides("marked")
	if d.sources.asked == asked {
		t.Error("the queue was not looked at again")
	}
}

package dashboard

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"chatops/internal/chatops"
	"chatops/internal/goldentest"
)

var sizes = []struct{ width, height int }{{120, 40}, {80, 24}, {60, 15}, {40, 10}, {40, 1}}

var errAway = chatops.Errorf(chatops.CodeUnavailable, "connect to db.example:5432: connection refused")

// states are situations in which the overview is drawn.
var states = []struct {
	name string
	draw func(t *testing.T, width, height int, colour bool) *desk
}{
	{"healthy", func(t *testing.T, w, h int, c bool) *desk {
		d := newDesk(t, healthy(), w, h, func(o *Options) { o.Colour = c })
		d.poll()
		return d
	}},
	{"incident", drawIncident},
	{"stale", func(t *testing.T, w, h int, c bool) *desk {
		d := drawIncident(t, w, h, c)
		for _, f := range d.feeds { // no answer comes any more, and no error
			if f.lookFunc != nil {
				f.ask(d.now)
			}
		}
		d.wait(12 * time.Second)
		return d
	}},
	{"database_down", func(t *testing.T, w, h int, c bool) *desk {
		d := drawIncident(t, w, h, c)
		fail(d, errAway, nil)
		return d
	}},
	{"redis_down", func(t *testing.T, w, h int, c bool) *desk {
		d := drawIncident(t, w, h, c)
		fail(d, nil, context.DeadlineExceeded)
		return d
	}},
	{"both_down", func(t *testing.T, w, h int, c bool) *desk {
		d := drawIncident(t, w, h, c)
		fail(d, errAway, context.DeadlineExceeded)
		return d
	}},
	{"unknown", func(t *testing.T, w, h int, c bool) *desk {
		return newDesk(t, healthy(), w, h, func(o *Options) { o.Colour = c })
	}},
}

// drawIncident is an incident a minute long, in which alerts come and none goes.
func drawIncident(t *testing.T, w, h int, c bool) *desk {
	t.Helper()
	f := incident()
	d := newDesk(t, f, w, h, func(o *Options) { o.Colour, o.Write = c, true })
	for range 20 {
		d.poll()
		d.wait(2 * time.Second)
		now := f.queue.Now.Add(2 * time.Second)
		f.queue = &chatops.QueueStats{Counts: append([]chatops.AlertCount(nil), f.queue.Counts...), OldestWaiting: f.queue.OldestWaiting, OldestFailed: f.queue.OldestFailed, Now: now}
		f.queue.Counts[3].Count++
	}
	d.poll()
	return d
}

// fail lets sources fail a few seconds later.
func fail(d *desk, database, redis error) {
	d.wait(2 * time.Second)
	d.sources.err, d.redis = database, redis
	d.poll()
	d.wait(4 * time.Second)
	d.poll()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	goldentest.Compare(t, filepath.Join("testdata", name), got)
}

func TestScreens_OfEveryStateAndSize(t *testing.T) {
	t.Parallel()
	for _, s := range states {
		for _, size := range sizes {
			name := fmt.Sprintf("%s_%dx%d", s.name, size.width, size.height)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				plain := s.draw(t, size.width, size.height, false).View()
				golden(t, name+".txt", plain+"\n")
				coloured := s.draw(t, size.width, size.height, true).View()
				golden(t, name+".ansi", coloured+"\n")
				// Every state is a word: colours add nothing that could be missed.
				if bare := trimLines(ansi.Strip(coloured)); bare != trimLines(plain) {
					t.Errorf("without its colours the screen says something else:\n%s\nwant\n%s", bare, plain)
				}
				wantFit(t, plain, size.width, size.height)
			})
		}
	}
}

func trimLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// wantFit fails unless a screen has a size and holds nothing that could move a
// terminal's cursor.
func wantFit(t *testing.T, screen string, width, height int) {
	t.Helper()
	lines := strings.Split(screen, "\n")
	if len(lines) > height {
		t.Errorf("%d lines on a screen of %d", len(lines), height)
	}
	for _, l := range lines {
		if w := ansi.StringWidth(l); w > width {
			t.Errorf("a line of %d columns on a screen of %d: %s", w, width, l)
		}
		if strings.ContainsFunc(l, func(r rune) bool { return chatops.Harmful(r) || r >= 0x2800 && r <= 0x28ff }) {
			t.Errorf("a line is not harmless, or is in braille: %q", l)
		}
	}
}

func TestScreens_OfEverySize_FitAndNeverPanic(t *testing.T) {
	t.Parallel()
	d := drawIncident(t, 80, 24, false)
	for _, keys := range []string{"", "1", "2", "3", "4", "5", "6", "?", "/", "2r"} {
		d.press("esc", "esc", "esc", keys)
		for width := 1; width <= 130; width += 7 {
			for height := 1; height <= 45; height += 4 {
				d.width, d.height = width, height
				wantFit(t, d.View(), width, height)
			}
		}
		d.press("esc", "esc")
	}
}

func TestScreens_WithoutUnicode_AreASCII(t *testing.T) {
	t.Parallel()
	d := drawIncident(t, 120, 40, false)
	d.opts.ASCII = true
	if at := strings.IndexFunc(d.View(), func(r rune) bool { return r > '~' }); at >= 0 {
		t.Errorf("the screen has more than ASCII: %q", d.View()[at:at+20])
	}
}

// BenchmarkFrame is one look at an incident, drawn in the largest layout.
func BenchmarkFrame(b *testing.B) {
	d := newDesk(b, incident(), 120, 40, func(o *Options) { o.Colour = true })
	d.poll()
	for b.Loop() {
		if d.View() == "" {
			b.Fatal("nothing is drawn")
		}
	}
}

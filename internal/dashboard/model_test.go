package dashboard

import (
	"slices"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"chatops/internal/chatops"
)

func desktop(t *testing.T, change ...func(*Options)) *desk {
	t.Helper()
	d := newDesk(t, incident(), 100, 30, append([]func(*Options){func(o *Options) { o.Write = true }}, change...)...)
	d.poll()
	return d
}

func TestWalk_FromThePanelToTheAlertWithItsAttempts(t *testing.T) {
	t.Parallel()
	d := desktop(t)
	d.press("2")
	d.shows("2 causes", "> ", "slack: HTTP 503", "r retry")
	d.press("enter")
	d.shows("alerts: cause 85b54c5f5c4b", "2 on this page", ">  31 pending", "slack: HTTP 503\\x1b[2J")
	if f := d.sources.filter; f.Fingerprint != "85b54c5f5c4b" || !slices.Equal(f.Statuses, []chatops.AlertStatus{"pending", "failed"}) {
		t.Errorf("the list was asked for with %+v", f)
	}
	d.press("down", "enter")
	d.shows("alert 30", "retries      5/5", "ops-1:101", "transient 503", "120ms")
	d.press("esc", "n")
	d.shows(">   7 failed")
	d.press("n")
	d.shows("this is the last page")
	d.press("esc", "esc", "esc")
	d.shows("1-6 open a panel")
	d.press("esc") // there is nothing behind the overview
	d.shows("1-6 open a panel")
}

func TestEnter_OnTheOverview_GoesWhereTheVerdictPoints(t *testing.T) {
	t.Parallel()
	d := desktop(t)
	d.shows("INCIDENT  press 3: slack open on 2/2 replicas")
	d.press("enter")
	d.shows("3 breakers", "t trip")
	d.sources = healthy()
	calm := newDesk(t, healthy(), 80, 24)
	calm.poll()
	calm.shows("OK  nothing needs you")
	calm.press("enter")
	calm.shows("1 queue", "no")
}

func TestCursor_StaysOnItsRowWhenRowsMove(t *testing.T) {
	t.Parallel()
	d := desktop(t)
	d.press("2", "down")
	d.shows(">   200+")
	d.sources.groups = slices.Clone(d.sources.groups)
	slices.Reverse(d.sources.groups)
	d.poll()
	d.shows(">   200+")
	d.press("end")
	d.shows(">    125")
	d.press("home")
	d.shows(">      2")
}

func TestFilter_OfAlertsIsAskedOfTheStore(t *testing.T) {
	t.Parallel()
	d := desktop(t)
	d.press("/", "status=failed type=slack_alert,x HTTP 503", "enter")
	want := chatops.AlertFilter{Statuses: []chatops.AlertStatus{"failed"}, Types: []string{"slack_alert", "x"}, Error: "HTTP 503"}
	if got := d.sources.filter; strings.Join(filterArgs(got), " ") != strings.Join(filterArgs(want), " ") {
		t.Errorf("asked for %+v, want %+v", got, want)
	}
	d.shows("/status=failed type=slack_alert,x HTTP 503")
	d.press("/", "ctrl+u", "status=all", "enter")
	if got := d.sources.filter; len(got.Statuses) != 0 || got.Error != "" {
		t.Errorf("asked for %+v, want every status", got)
	}
	d.press("/", "nothing", "esc")
	d.shows("/status=all")
}

func TestFilter_OfAPanelKeepsRowsThatContainIt(t *testing.T) {
	t.Parallel()
	d := desktop(t)
	d.press("3", "/", "MONDAY", "enter")
	d.shows("> monday")
	d.hides("email ")
	d.press("/", "backspace", "ctrl+u", "enter")
	d.shows("email ")
}

func TestOrder_OfAListIsNamed(t *testing.T) {
	t.Parallel()
	d := desktop(t)
	d.press("1", "enter")
	for _, want := range []string{"oldest first", "most retries first", "by status", "by target", "newest first"} {
		d.press("o")
		d.shows(want)
	}
	d.press("o", "home")
	d.shows(">  30 failed")
}

func TestHelp_NamesEveryKey(t *testing.T) {
	t.Parallel()
	d := newDesk(t, healthy(), 100, 60)
	d.press("?")
	for _, b := range bindings() {
		if !b.replay {
			d.shows(b.label, b.help)
		}
	}
	d.shows("[needs --write]")
	d.hides("play or pause")
}

func TestKeys_AreNotUsedTwiceInOnePlace(t *testing.T) {
	t.Parallel()
	d := desktop(t)
	for _, keys := range [][]string{{}, {"1"}, {"2"}, {"3"}, {"4"}, {"5"}, {"6"}, {"1", "enter"}, {"1", "enter", "enter"}, {"?"}} {
		d.screens = d.screens[:1]
		d.press(keys...)
		used := map[string]string{}
		for _, b := range bindings() {
			for _, key := range b.keys {
				if !b.fits(d.model) {
					continue
				}
				if other := used[key]; other != "" {
					t.Errorf("after %v the key %s means %s and %s", keys, key, other, b.help)
				}
				used[key] = b.help
			}
		}
	}
}

// Over a slow line, or while a key is held down, several keys come at once.
func TestKeys_ThatComeTogetherAreTakenOneByOne(t *testing.T) {
	t.Parallel()
	together := func(d *desk, keys string, paste bool) {
		d.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(keys), Paste: paste})
	}
	tests := []struct {
		name  string
		keys  string
		paste bool
		shows []string
		hides []string
	}{
		{
			name:  "to a panel, and down",
			keys:  "2jj",
			shows: []string{"2 causes", ">      2"},
		},
		{
			name:  "down and up again",
			keys:  "2jjkk",
			shows: []string{">    125"},
		},
		{
			name:  "a filter",
			keys:  "3/monday",
			shows: []string{"rows that contain monday_"},
		},
		{
			name:  "yes to a question that nobody has seen",
			keys:  "2ry",
			shows: []string{"Continue? [y/N]"},
			hides: []string{"running"},
		},
		{
			name:  "what is pasted",
			keys:  "2ry",
			paste: true,
			shows: []string{"1-6 open a panel"},
			hides: []string{"Continue?"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := desktop(t)
			together(d, tt.keys, tt.paste)
			d.shows(tt.shows...)
			d.hides(tt.hides...)
			if len(d.ran) > 1 {
				t.Errorf("it ran %v", d.ran)
			}
		})
	}
	d := replayed(t, recordedIncident(t), noon, 120, 40)
	together(d, "++ ", false)
	d.shows("x5 playing")
}

func TestQuit_ByKey(t *testing.T) {
	t.Parallel()
	for _, keys := range [][]string{{"q"}, {"ctrl+c"}, {"2", "ctrl+c"}, {"/", "ctrl+c"}, {"2", "r", "ctrl+c"}} {
		d := desktop(t)
		d.press(keys[:len(keys)-1]...)
		msg := tea.KeyMsg{Type: tea.KeyCtrlC}
		if keys[len(keys)-1] == "q" {
			msg = tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("q")}
		}
		_, cmd := d.Update(msg)
		if cmd == nil {
			t.Fatalf("after %v nothing happens", keys)
		}
		if _, quits := cmd().(tea.QuitMsg); !quits {
			t.Errorf("after %v it does not quit", keys)
		}
	}
}

func TestSources_ThatComeBackAreLiveAgain(t *testing.T) {
	t.Parallel()
	d := desktop(t)
	d.shows("live 0s")
	fail(d, errAway, nil)
	d.shows("INCIDENT  postgresql does not answer for 4s", "ERROR 6s", "132 waiting")
	d.hides("live 0s", "live 6s")
	d.sources.err = nil
	d.poll()
	d.hides("ERROR", "does not answer")
	d.shows("live 0s")
}

func TestSources_ThatHang_AreNamedAndStale(t *testing.T) {
	t.Parallel()
	d := desktop(t)
	for _, f := range d.feeds {
		f.ask(d.now)
	}
	d.wait(2 * time.Second)
	d.shows("slow 2s", "132 waiting")
	d.wait(20 * time.Second)
	d.shows("STALE 22s", "postgresql does not answer for 22s", "132 waiting")
}

func TestUnknown_IsNeverAZero(t *testing.T) {
	t.Parallel()
	d := newDesk(t, incident(), 100, 30)
	d.sources.err = errAway
	d.poll()
	for _, key := range []string{"esc", "1", "2", "3", "4", "5", "6"} {
		d.press(key)
		d.hides(" 0 ", "0 waiting", "none: nothing")
		d.shows("unknown")
	}
	d.width, d.height = 40, 1
	d.hides(" 0 ")
	// A fleet without replicas knows its limits, and not what they allow.
	f := healthy()
	f.fleet.Replicas = nil
	d = newDesk(t, f, 100, 30)
	d.poll()
	d.press("4")
	d.shows("unknown: no replica reports")
	d.hides(" 0 ")
}

func TestStart_TheFirstSourceIsAskedAloneAndTheOthersOnceItTellsOrDoesNotSoon(t *testing.T) {
	t.Parallel()
	asked := func(d *desk) (names []string) {
		for _, f := range d.feeds {
			if f.round > 0 {
				names = append(names, f.name)
			}
		}
		return names
	}
	d := newDesk(t, incident(), 100, 30)
	var later []tea.Msg
	d.tickFunc = func(after time.Duration, then func(time.Time) tea.Msg) tea.Cmd {
		if after == headStart {
			later = append(later, then(noon.Add(after)))
		}
		return nil
	}
	begun := d.Init()
	if got := asked(d); !slices.Equal(got, []string{"queue", "redis"}) {
		t.Fatalf("%v are asked at first", got)
	}
	d.carry(begun)
	d.shows("INCIDENT  press 3: slack open on 2/2 replicas", "132 waiting")
	if got := asked(d); !slices.Equal(got, []string{"queue", "causes", "fleet", "jobs", "redis"}) {
		t.Errorf("%v are asked once the queue has told", got)
	}
	for _, msg := range later {
		d.send(msg)
	}
	if d.sources.asked != 1 || d.feed("jobs").round != 1 {
		t.Error("somebody was asked twice")
	}

	later = nil
	slow := newDesk(t, incident(), 100, 30)
	slow.tickFunc = d.tickFunc
	_ = slow.Init() // whose questions have no answer yet
	for _, msg := range later {
		slow.send(msg)
	}
	slow.shows("slack open on 2/2 replicas", "unknown")
}

func TestStart_AnAnswerOfRedisDoesNotBringTheDatabasesOthers(t *testing.T) {
	t.Parallel()
	d := newDesk(t, incident(), 100, 30)
	_ = d.Init()
	if cmd := d.begin(d.feed("redis")); cmd != nil {
		t.Error("the database's sources are asked because Redis answered")
	}
}

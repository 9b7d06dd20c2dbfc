package dashboard

import (
	"strings"
	"testing"

	"chatops/internal/chatops"
)

// ways are keys from the overview, and where they lead.
var ways = []struct {
	name    string
	keys    []string
	kind    screenKind
	shows   []string
	filter  string // of the list that is asked for
	command string // that shows the same
	depth   int
}{
	{
		name:    "the overview",
		kind:    screenOverview,
		shows:   []string{"1 queue", "6 replicas", "1-6 open a panel"},
		command: "chatops dashboard --once",
		depth:   1,
	},
	{
		name:    "the queue",
		keys:    []string{"1"},
		kind:    screenPanel,
		shows:   []string{"1 queue 132 waiting, 6 failed", "> total", "enter look into it"},
		command: "chatops dlq stats",
		depth:   2,
	},
	{
		name:    "every type",
		keys:    []string{"1", "enter"},
		kind:    screenAlerts,
		shows:   []string{"alerts: all types", "newest first"},
		filter:  "--status queued,pending,failed",
		command: "chatops dlq show 31",
		depth:   3,
	},
	{
		name:    "the type with most trouble",
		keys:    []string{"1", "down", "enter"},
		kind:    screenAlerts,
		shows:   []string{"alerts: slack_alert"},
		filter:  "--status queued,pending,failed --type slack_alert",
		command: "chatops dlq show 31",
		depth:   3,
	},
	{
		name:    "the type with the least",
		keys:    []string{"1", "end", "enter"},
		kind:    screenAlerts,
		shows:   []string{"alerts: monday_item"},
		filter:  "--status queued,pending,failed --type monday_item",
		command: "chatops dlq show 31",
		depth:   3,
	},
	{
		name:    "a cause",
		keys:    []string{"2", "down", "enter"},
		kind:    screenAlerts,
		shows:   []string{"alerts: cause 0077"},
		filter:  "--status pending,failed --fingerprint 0077",
		command: "chatops dlq show 31",
		depth:   3,
	},
	{
		name:    "alerts without a cause",
		keys:    []string{"2", "end", "enter"},
		kind:    screenAlerts,
		shows:   []string{"alerts: cause (cause unknown)"},
		filter:  "--status pending,failed",
		command: "chatops dlq show 31",
		depth:   3,
	},
	{
		name:    "an alert",
		keys:    []string{"2", "enter", "down", "enter"},
		kind:    screenAlert,
		shows:   []string{"alert 30", "status       failed"},
		filter:  "--status pending,failed --fingerprint 85b54c5f5c4b",
		command: "chatops dlq show 30",
		depth:   4,
	},
	{
		name:    "the last page",
		keys:    []string{"1", "enter", "n"},
		kind:    screenAlerts,
		shows:   []string{"1 on this page", ">   7 failed"},
		filter:  "--status queued,pending,failed",
		command: "chatops dlq show 7",
		depth:   4,
	},
	{
		name:    "a filter from the overview",
		keys:    []string{"/", "status=failed timeout", "enter"},
		kind:    screenAlerts,
		shows:   []string{"alerts: all types /status=failed timeout"},
		filter:  "--status failed --error timeout",
		command: "chatops dlq show 31",
		depth:   2,
	},
	{
		name:    "a filter of a list replaces it",
		keys:    []string{"2", "enter", "/", "status=failed", "enter"},
		kind:    screenAlerts,
		shows:   []string{"alerts: cause 85b54c5f5c4b /status=failed"},
		filter:  "--status failed --fingerprint 85b54c5f5c4b",
		command: "chatops dlq show 31",
		depth:   3,
	},
	{
		name:    "a breaker has nothing behind it",
		keys:    []string{"3", "enter"},
		kind:    screenPanel,
		shows:   []string{"3 breakers slack open 2/2, monday tripped 0/2"},
		command: "chatops breaker status slack",
		depth:   2,
	},
	{
		name:    "the breaker below",
		keys:    []string{"3", "end"},
		kind:    screenPanel,
		shows:   []string{"> llm"},
		command: "chatops breaker status llm",
		depth:   2,
	},
	{
		name:    "who is blocked",
		keys:    []string{"4", "end"},
		kind:    screenPanel,
		shows:   []string{"> 198.51.100.0/24 blocked by jan", "u unblock"},
		command: "chatops limiter status",
		depth:   2,
	},
	{
		name:    "a job",
		keys:    []string{"5", "down"},
		kind:    screenPanel,
		shows:   []string{"> cache_cleanup", "r run it now"},
		command: "chatops jobs list cache_cleanup",
		depth:   2,
	},
	{
		name:    "replicas cannot be chosen",
		keys:    []string{"6"},
		kind:    screenPanel,
		shows:   []string{"6 replicas 2 live, 1 stale", "ops-3:303"},
		command: "chatops dashboard --once",
		depth:   2,
	},
	{
		name:    "from one panel to another",
		keys:    []string{"1", "enter", "enter", "5", "2"},
		kind:    screenPanel,
		shows:   []string{"2 causes"},
		filter:  "--status queued,pending,failed",
		command: "chatops dlq list --fingerprint 85b54c5f5c4b",
		depth:   2,
	},
	{
		name:    "help, and back",
		keys:    []string{"4", "?", "esc"},
		kind:    screenPanel,
		shows:   []string{"4 limits"},
		command: "chatops limiter status",
		depth:   2,
	},
}

func TestWays_LeadWhereTheySay(t *testing.T) {
	t.Parallel()
	for _, tt := range ways {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := desktop(t)
			d.sources.filter = chatops.AlertFilter{Statuses: []chatops.AlertStatus{"nobody asked"}}
			d.press(tt.keys...)
			d.shows(tt.shows...)
			if d.top().kind != tt.kind || len(d.screens) != tt.depth {
				t.Errorf("it is a screen of kind %d, %d deep; want %d, %d deep", d.top().kind, len(d.screens), tt.kind, tt.depth)
			}
			want := tt.filter
			if want == "" {
				want = "--status nobody asked"
			}
			if got := strings.Join(filterArgs(d.sources.filter), " "); got != want {
				t.Errorf("the store was asked for %s, want %s", got, want)
			}
			if got := commandLine(d.showing()); got != tt.command {
				t.Errorf("the same is shown by %s, want %s", got, tt.command)
			}
			for range tt.depth {
				d.press("esc")
			}
			if len(d.screens) != 1 || d.top().kind != screenOverview {
				t.Errorf("esc leads back to a screen of kind %d, %d deep", d.top().kind, len(d.screens))
			}
		})
	}
}

// A list that is left is not asked for any more.
func TestBack_LetsTheFeedsOfListsRest(t *testing.T) {
	t.Parallel()
	d := desktop(t)
	for _, step := range []struct {
		key           string
		alerts, alert bool
	}{
		{"1", false, false},
		{"enter", true, false},
		{"enter", false, true},
		{"esc", true, false},
		{"?", false, false},
		{"esc", true, false},
		{"esc", false, false},
		{"esc", false, false},
	} {
		d.press(step.key)
		if got := d.feed("alerts").lookFunc != nil; got != step.alerts {
			t.Errorf("after %s a list is asked for: %t", step.key, got)
		}
		if got := d.feed("alert").lookFunc != nil; got != step.alert {
			t.Errorf("after %s an alert is asked for: %t", step.key, got)
		}
	}
}

func TestSearch_OfAPanel_IsKeptAndTakenBack(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		typed  string
		chosen string
		rows   int // with the names of the columns
	}{
		{"nothing", "", "slack", 11},
		{"a name", "email", "email", 2},
		{"in capitals", "EMAIL", "email", 2},
		{"blanks around it", "  email ", "email", 2},
		{"what stands in another column", "maintenance", "monday", 2},
		{"several", "closed", "monday", 5},
		{"none", "fax", "", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := desktop(t)
			d.press("3", "/", tt.typed, "enter")
			if got := d.chosen().id; got != tt.chosen {
				t.Errorf("the cursor is on %q, want %q", got, tt.chosen)
			}
			if got := len(d.rows()); got != tt.rows {
				t.Errorf("it has %d rows, want %d:\n%s", got, tt.rows, d.View())
			}
			d.poll()
			if got := len(d.rows()); got != tt.rows {
				t.Errorf("after another look it has %d rows, want %d", got, tt.rows)
			}
			d.press("/", "ctrl+u", "enter")
			if got := len(d.rows()); got != 11 {
				t.Errorf("without the search it has %d rows, want 11", got)
			}
		})
	}
}

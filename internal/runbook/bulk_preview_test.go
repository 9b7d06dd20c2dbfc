package runbook

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"chatops/internal/chatops"
)

// previewOf is the part of a dry run's answer that the tests read.
type previewOf struct {
	Matched int64 `json:"matched"`
	Preview struct {
		Counted   int64         `json:"counted"`
		Bounded   bool          `json:"bounded"`
		Eligible  int64         `json:"eligible"`
		Open      int64         `json:"breaker_open"`
		Breakers  []string      `json:"open_breakers"`
		Permanent int64         `json:"permanent_error"`
		Withdrawn int64         `json:"consent_withdrawn"`
		Elsewhere int64         `json:"in_other_operation"`
		Delivered int64         `json:"already_delivered"`
		Causes    []previewPart `json:"causes"`
		Types     []previewPart `json:"types"`
		Ages      []previewPart `json:"ages"`
		ETA       *float64      `json:"eta_seconds"`
		Basis     string        `json:"eta_basis"`
		Samples   []struct {
			ID int64 `json:"id"`
		} `json:"samples"`
	} `json:"preview"`
}

func dryRunOf(t *testing.T, c *console, line string) previewOf {
	t.Helper()
	c.must(exitOK, line+" --dry-run -o json")
	var got previewOf
	if err := json.Unmarshal(c.out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// previewConsole has alerts of every kind that a dry run tells apart.
func previewConsole(t *testing.T) *console {
	t.Helper()
	f := newFakeStore(chatops.AlertFailed, chatops.AlertFailed, chatops.AlertFailed, chatops.AlertFailed, chatops.AlertPending,
		chatops.AlertFailed, chatops.AlertDelivered)
	for i, text := range []string{"slack answered 503", "slack answered 503", "refused", "withdrawn", "crm answered 500", "taken", ""} {
		f.alerts[i].ErrorMessage, f.alerts[i].Fingerprint = text, "slack:503"
	}
	f.alerts[2].Fingerprint = "slack:invalid_blocks"
	f.alerts[4].Target, f.alerts[4].EventType, f.alerts[4].Fingerprint = "webhook:crm", chatops.EventWebhook, ""
	f.alerts[5].OperationID = "op_7"
	c := newConsole(t, f)
	f.fleet.replicas = []chatops.Instance{{Name: "host:1", Report: chatops.InstanceReport{
		Breakers: []chatops.BreakerReport{{Name: "webhook:crm", State: "open"}, {Name: "slack", State: "closed"}},
	}}}
	return c
}

func TestDLQRetry_DryRunTells(t *testing.T) {
	t.Parallel()
	c := previewConsole(t)
	got := dryRunOf(t, c, "dlq retry --all")
	p := got.Preview
	if got.Matched != 6 || p.Counted != 6 || p.Eligible != 4 || p.Open != 1 || p.Permanent != 1 || p.Withdrawn != 1 || p.Elsewhere != 1 || p.Delivered != 1 || p.Bounded {
		t.Errorf("the dry run counts %s", &c.out)
	}
	if !slices.Equal(p.Breakers, []string{"webhook:crm"}) {
		t.Errorf("open breakers are %v", p.Breakers)
	}
	if want := []previewPart{{"slack:503", 4, "slack answered 503"}, {"unknown", 1, "crm answered 500"}, {"slack:invalid_blocks", 1, "refused"}}; !slices.Equal(p.Causes, want) {
		t.Errorf("causes are %v, want %v", p.Causes, want)
	}
	if want := []previewPart{{"slack_alert", 5, ""}, {"webhook_event", 1, ""}}; !slices.Equal(p.Types, want) {
		t.Errorf("types are %v", p.Types)
	}
	if len(p.Ages) != 5 || p.Ages[0].Name != "up to 1h" || p.Ages[4].Name != "older than 7d" || p.Ages[4].Count != 2 {
		t.Errorf("ages are %v", p.Ages)
	}
	if len(p.Samples) != 5 || p.Samples[0].ID != 7 {
		t.Errorf("samples are %v", p.Samples)
	}
	if p.ETA == nil || *p.ETA != 5 || p.Basis != "Slack takes 1 a second and channel" {
		t.Errorf("it takes %v (%s)", p.ETA, p.Basis)
	}
	if len(c.store.ops)+len(c.store.actions)+c.store.announced != 0 {
		t.Error("a dry run changed something")
	}
}

func TestDLQRetry_DryRunEstimatesThePace(t *testing.T) {
	t.Parallel()
	c := previewConsole(t)
	if p := dryRunOf(t, c, "dlq retry --all --rate 2").Preview; *p.ETA != 2 || !strings.Contains(p.Basis, "the pace") {
		t.Errorf("4 at 2 a second take %v (%s)", *p.ETA, p.Basis)
	}
	if p := dryRunOf(t, c, "dlq retry --target webhook:crm").Preview; p.ETA != nil || !strings.Contains(p.Basis, "--rate sets a limit") {
		t.Errorf("without a limit it takes %v (%s)", p.ETA, p.Basis)
	}
}

func TestDLQRetry_DryRunIsShownToPeople(t *testing.T) {
	t.Parallel()
	c := previewConsole(t).terminal("")
	c.must(exitOK, "dlq retry --all --dry-run --rate 50 --canary 1")
	for _, want := range []string{
		"counted             6", "eligible            4", "breaker_open        1 (webhook:crm)", "permanent_error     1", "consent_withdrawn   1",
		"in_other_operation  1", "already_delivered   1", "the pace, if all goes well", "CAUSE", "slack:invalid_blocks       1  refused", "AGE", "TYPE",
	} {
		if !strings.Contains(c.out.String(), want) {
			t.Errorf("lacks %q:\n%s", want, &c.out)
		}
	}
	for _, format := range []string{"wide", "yaml", "markdown", "jsonl"} {
		c.must(exitOK, "dlq retry --all --dry-run -o "+format)
		if !strings.Contains(c.out.String(), "slack:503") {
			t.Errorf("-o %s lacks the causes:\n%s", format, &c.out)
		}
	}
	c.must(exitOK, "dlq discard --all --dry-run -o json")
	if strings.Contains(c.out.String(), "preview") {
		t.Error("a dry run of a discard tells about sending")
	}
	c.store.previewErr = chatops.Errorf(chatops.CodeUnavailable, "connection refused")
	c.must(exitUnavailable, "dlq retry --all --dry-run")
}

func TestPreview_IsBoundedAndSaysSo(t *testing.T) {
	t.Parallel()
	v := &previewView{Counted: previewBound, Bounded: true, Delivered: 7, DeliveredBounded: true}
	text := ""
	for _, s := range v.sections() {
		for _, row := range s.rows {
			text += strings.Join(row, " ") + "\n"
		}
	}
	for _, want := range []string{"counted the newest 100000; what follows is about those", "already_delivered 7 or more"} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
}

// chosenBy is a value for each flag that chooses alerts, and the field that it
// sets.
var chosenBy = map[string]struct{ value, field string }{
	"status": {"failed", "Statuses"}, "type": {"slack_alert", "Types"}, "target": {"slack:alerts", "Targets"}, "error": {"503", "Error"},
	"fingerprint": {"slack:503", "Fingerprint"}, "since": {"30d", "Since"}, "until": {"1s", "Until"}, "attempts": {"1", "MinAttempts"}, "id": {"7", "IDs"},
	"limit": {"3", "IDs"}, // of a change; a list ends there
}

// otherFlags choose nothing.
var otherFlags = []string{
	"all", "operation", "dry-run", "now", "rate", "canary", "max-failures", "after", "help",
}

// TestSelection_NoFilterIsSilentlyIgnored gives each flag of the commands that
// choose alerts, and looks whether the store was asked for it. A new flag fails
// until it is listed here.
func TestSelection_NoFilterIsSilentlyIgnored(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"dlq list", "dlq retry", "dlq discard"} {
		cmd, _, err := newRoot(newConsole(t, newFakeStore()).Env).Find(strings.Fields(command))
		if err != nil {
			t.Fatal(err)
		}
		cmd.LocalNonPersistentFlags().VisitAll(func(flag *pflag.Flag) {
			if slices.Contains(otherFlags, flag.Name) {
				return
			}
			c, ok := chosenBy[flag.Name]
			if !ok {
				t.Errorf("%s has a flag --%s that this test does not know: does it choose alerts?", command, flag.Name)
				return
			}
			if command == "dlq list" && flag.Name == "limit" {
				return
			}
			f := newFakeStore(chatops.AlertFailed, chatops.AlertFailed, chatops.AlertFailed, chatops.AlertFailed, chatops.AlertFailed, chatops.AlertFailed, chatops.AlertFailed)
			for i := range f.alerts {
				f.alerts[i].RetryCount, f.alerts[i].Fingerprint, f.alerts[i].ErrorMessage = 1, "slack:503", "503"
				f.alerts[i].CreatedAt = noon.Add(-time.Minute)
			}
			line := command + " --" + flag.Name + " " + c.value
			if command != "dlq list" {
				line += " --yes"
			}
			con := newConsole(t, f)
			con.must(exitOK, line)
			if len(f.asked) == 0 {
				t.Fatalf("%s: the store was asked for nothing", line)
			}
			last := f.asked[len(f.asked)-1]
			if op := f.ops["op_1"]; op != nil {
				last = op.Filter
			}
			if reflect.ValueOf(last).FieldByName(c.field).IsZero() {
				t.Errorf("%s: the store was asked for %+v, which lacks %s", line, last, c.field)
			}
		})
	}
}

// FuzzPreviewGroup: whatever the rows, the parts of a histogram have all alerts.
func FuzzPreviewGroup(f *testing.F) {
	f.Add("a,b,a", 1)
	f.Add("", 0)
	f.Fuzz(func(t *testing.T, names string, limit int) {
		p := &chatops.Preview{}
		total := int64(0)
		for i, name := range strings.Split(names, ",") {
			p.Rows = append(p.Rows, chatops.PreviewRow{Fingerprint: name, Count: int64(i + 1)})
			total += int64(i + 1)
		}
		groups, others := p.Group(func(r *chatops.PreviewRow) string { return r.Fingerprint }, max(limit, 0))
		for i, g := range groups {
			others += g.Count
			if i > 0 && g.Count > groups[i-1].Count {
				t.Errorf("%v are not in order", groups)
			}
		}
		if others != total {
			t.Errorf("the parts have %d of %d", others, total)
		}
	})
}

package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chatops/docs"
	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/drill"
	"chatops/internal/runbook"
)

// played is what a drill left behind.
type played struct {
	Drill    string   `json:"drill"`
	Repaired bool     `json:"repaired"`
	Left     string   `json:"left"`
	Detect   *float64 `json:"seconds_to_detect"`
	Repair   *float64 `json:"seconds_to_repair"`
	Commands []string `json:"commands"`
	Folder   string   `json:"folder"`
}

// findings are the checks of doctor that find what a drill breaks. The others are
// requests of people: nothing is broken.
var findings = map[string]string{
	"slack-outage": "failed_alerts", "many-causes": "failed_alerts", "refused-payload": "failed_alerts", "slow-receiver": "failed_alerts",
	"monday-errors": "failed_alerts", "breaker-stuck": "breakers", "limiter-storm": "limits", "redis-loss": "redis", "job-failed": "jobs",
	"job-paused": "jobs", "duplicate-followups": "followups", "uncertain-followup": "uncertain_followups", "serve-refuses": "migrations",
	"person-asks": "", "person-forgotten": "", "opt-out-race": "",
}

// wantFinding demands that doctor has found what a drill breaks.
func wantFinding(t *testing.T, name, said string) {
	t.Helper()
	check, known := findings[name]
	_, need, _ := strings.Cut(said, " checks need you: ")
	need, _, _ = strings.Cut(need, "\n")
	switch {
	case !known:
		t.Errorf("whether doctor finds %s is not said", name)
	case check == "" && need != "":
		t.Errorf("nothing is broken by %s, and doctor finds %s", name, need)
	case !strings.Contains(", "+need, ", "+check+" ") && check != "":
		t.Errorf("doctor finds %q of what %s breaks; want %s", need, name, check)
	}
}

// play runs a drill by the document, after a look by doctor, and returns its result, its transcript and
// the store that it leaves.
func play(t *testing.T, name string) (*played, string, chatops.Store) {
	t.Helper()
	var out, said bytes.Buffer
	env := environment()
	env.In, env.Out, env.Err = strings.NewReader(""), &out, &said
	env.LookupEnvFunc = func(string) (string, bool) { return "", false }
	block := "```sh drill=" + name + "\n"
	env.Operations = strings.Replace(docs.Operations, block, block+"chatops doctor\n", 1)
	if code := runbook.Run(t.Context(), env, []string{"drill", name, "--auto", "--keep", "-o", "json"}); code != 0 {
		t.Fatalf("drill %s: exit %d\n%s\n%s", name, code, &out, &said)
	}
	p := &played{}
	if err := json.Unmarshal(out.Bytes(), p); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(p.Folder) })
	if d, _ := drill.Find(name); d.Postgres {
		return p, said.String(), nil // it is gone with its server
	}
	cfg := &config.Config{DatabaseURL: config.NewURL("sqlite://" + filepath.Join(p.Folder, "chatbot.db"))}
	store, err := openStore(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return p, said.String(), store
}

// count is how many alerts of a type have a status.
func count(t *testing.T, store chatops.Store, eventType string, status chatops.AlertStatus) int64 {
	t.Helper()
	n, err := store.CountAlerts(t.Context(), chatops.AlertFilter{Types: []string{eventType}, Statuses: []chatops.AlertStatus{status}})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// afterwards is what the real store has to hold once the document was followed.
var afterwards = map[string]func(t *testing.T, store chatops.Store){
	"slack-outage": func(t *testing.T, store chatops.Store) {
		if n := count(t, store, chatops.EventSlackAlert, chatops.AlertDelivered); n != 12 {
			t.Errorf("%d alerts were delivered, want 12", n)
		}
	},
	"monday-errors": func(t *testing.T, store chatops.Store) {
		if n := count(t, store, chatops.EventMondayItem, chatops.AlertDelivered); n != 3 {
			t.Errorf("%d items were made, want 3", n)
		}
		if n := count(t, store, chatops.EventEscalation, chatops.AlertDelivered); n != 1 {
			t.Errorf("%d mails told of it, want 1", n)
		}
	},
	"breaker-stuck": func(t *testing.T, store chatops.Store) {
		c, err := store.Controls(t.Context())
		if err != nil || len(c.Breakers) != 1 || c.Breakers[0].Mode != chatops.BreakerReset || c.Breakers[0].Reason != "Slack is back" {
			t.Errorf("the orders are %+v, %v", c, err)
		}
	},
	"limiter-storm": func(t *testing.T, store chatops.Store) {
		c, err := store.Controls(t.Context())
		if err != nil || len(c.Overrides) != 1 || c.Overrides[0].Value != "100 per minute" || c.Overrides[0].Until.IsZero() {
			t.Errorf("the orders are %+v, %v", c, err)
		}
	},
	"many-causes": func(t *testing.T, store chatops.Store) {
		if n := count(t, store, chatops.EventSlackAlert, chatops.AlertDelivered); n != 6 {
			t.Errorf("%d posts were delivered, want 6", n)
		}
		taken, useless := count(t, store, chatops.EventWebhook, chatops.AlertDelivered), count(t, store, chatops.EventWebhook, chatops.AlertDiscarded)
		if taken != 3 || useless != 4 {
			t.Errorf("%d leads were delivered and %d discarded, want 3 and 4", taken, useless)
		}
	},
	"refused-payload": func(t *testing.T, store chatops.Store) {
		lineage, err := store.AlertLineage(t.Context(), 2)
		if err != nil || lineage.ReplacedBy == 0 || lineage.Reason != "typing error of the visitor" {
			t.Fatalf("the refused alert is replaced by %+v, %v", lineage, err)
		}
		if a, _, err := store.Alert(t.Context(), lineage.ReplacedBy); err != nil || a.Status != chatops.AlertDelivered || !strings.Contains(string(a.Payload), "Gdańsk") {
			t.Errorf("what replaces it is %+v, %v", a, err)
		}
	},
	"slow-receiver": func(t *testing.T, store chatops.Store) {
		list, err := store.Operations(t.Context(), false, 10)
		if err != nil || len(list) != 1 || list[0].State != chatops.OperationDone || list[0].Pace == nil || list[0].Pace.Rate != 10 || list[0].Changed != 30 {
			t.Errorf("the operations are %+v, %v; want one with a pace, done", list, err)
		}
		if n := count(t, store, chatops.EventWebhook, chatops.AlertDelivered); n != 30 {
			t.Errorf("%d leads were delivered, want 30", n)
		}
	},
	"job-failed": func(t *testing.T, store chatops.Store) {
		list, err := store.Jobs(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(list.Jobs, func(j chatops.JobState) bool { return j.Name == "dlq_cleanup" })
		if at < 0 || list.Jobs[at].LastResult != "ok: 1 alert deleted" {
			t.Errorf("the jobs are %+v", list.Jobs)
		}
	},
	"uncertain-followup": func(t *testing.T, store chatops.Store) {
		for conversation, want := range map[int64]chatops.FollowupStatus{4711: chatops.FollowupUncertain, 4712: chatops.FollowupSent} {
			if list, err := store.Followups(t.Context(), conversation, "", 10); err != nil || len(list) != 1 || list[0].Status != want {
				t.Errorf("the follow-ups of %d are %+v, %v; want one that is %s", conversation, list, err, want)
			}
		}
	},
	"person-asks": func(t *testing.T, store chatops.Store) {
		looks, err := store.AccessLog(t.Context(), "", 10)
		if err != nil || len(looks) != 2 || looks[0].Command != "consent export" || looks[0].Purpose == "" {
			t.Errorf("the looks on record are %+v, %v; want a lookup and an export", looks, err)
		}
	},
	"person-forgotten": func(t *testing.T, store chatops.Store) {
		if n := count(t, store, chatops.EventMondayDelete, chatops.AlertDelivered); n != 1 {
			t.Errorf("%d requests to delete were delivered, want 1", n)
		}
		if p, err := store.Person(t.Context(), "anna@firma.example"); err == nil && len(p.Conversations)+len(p.Leads)+len(p.Alerts) > 0 {
			t.Errorf("of her is still known %+v", p)
		}
	},
	"serve-refuses": func(*testing.T, chatops.Store) {}, // the drill has asked /readyz
	"redis-loss":    func(*testing.T, chatops.Store) {},
	"job-paused": func(t *testing.T, store chatops.Store) {
		if n := count(t, store, chatops.EventFollowup, chatops.AlertDelivered); n != 1 {
			t.Errorf("%d reminders were delivered, want 1", n)
		}
	},
	"duplicate-followups": func(t *testing.T, store chatops.Store) {
		list, err := store.Followups(t.Context(), 4711, "", 10)
		if err != nil || len(list) != 1 || list[0].ID != 88 {
			t.Errorf("follow-ups are %+v, %v; want the earliest alone", list, err)
		}
	},
	"opt-out-race": func(t *testing.T, store chatops.Store) {
		if n := count(t, store, chatops.EventFollowup, chatops.AlertDelivered); n != 0 {
			t.Errorf("%d reminders were delivered after the opt-out", n)
		}
	},
}

func TestDrill_TheDocumentRepairsEachOne(t *testing.T) {
	t.Parallel()
	for _, d := range drill.All() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			p, said, store := play(t, d.Name)
			if !p.Repaired || p.Left != "" || p.Detect == nil || p.Repair == nil || *p.Repair < *p.Detect || len(p.Commands) == 0 {
				t.Errorf("the result is %+v", p)
			}
			if !strings.Contains(said, d.Symptom) {
				t.Errorf("the symptom is not told:\n%s", said)
			}
			wantFinding(t, d.Name, said)
			check, ok := afterwards[d.Name]
			if !ok {
				t.Fatal("nothing is asserted of the store afterwards")
			}
			check(t, store)
			if store == nil {
				return
			}
			acts, _, err := store.Actions(t.Context(), chatops.ActionFilter{}, 0, 10)
			if err != nil || len(acts) == 0 && d.Name != "redis-loss" && d.Name != "person-asks" { // these change nothing
				t.Errorf("the repair is not on record: %v, %v", acts, err)
			}
		})
	}
}

// symptoms are the sections of operations.md that begin with something to do.
var symptoms = []string{
	"Alerts do not arrive, or the queue grows", "Many alerts failed: what are they?", "An alert can never be accepted as it is",
	"A million failed alerts", "A mail says that alerts could not be delivered", "A circuit breaker is stuck open",
	"Rate limiting blocks everybody", "Redis is away", "A job is late or paused", "Somebody wants to know what we store",
	"Somebody wants to be forgotten", "Somebody says they still get mail", "Duplicate follow-ups are being created", "A follow-up is uncertain", "No follow-ups go out", "serve does not start",
}

// others are the sections in which nothing is broken that a command repairs. The
// record of consent that somebody has changed is found by doctor and by "consent
// audit verify", and only a backup has what was there.
var others = []string{
	"Start here", "Take alerts elsewhere, or bring them back", "Is the record of consent what was written?",
	"What passes by itself", "Who did what", "Am I in the right environment?",
}

func TestDrill_EverySectionOfTheDocumentIsASymptomOrNamedAsNone(t *testing.T) {
	t.Parallel()
	var headings []string
	for line := range strings.Lines(docs.Operations) {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			headings = append(headings, strings.TrimSpace(heading))
		}
	}
	known := slices.Concat(symptoms, others)
	for _, list := range [][]string{headings, known} {
		slices.Sort(list)
	}
	if !slices.Equal(headings, known) {
		t.Errorf("the sections are\n%q\nand the known ones are\n%q", headings, known)
	}
}

func TestDrill_EverySymptomOfTheDocumentNamesItsDrillAndTheOtherWayRound(t *testing.T) {
	t.Parallel()
	practised := map[string]string{} // by section
	for _, s := range drill.Read(docs.Operations) {
		if _, ok := drill.Find(s.Drill); !ok {
			t.Errorf("section %q names the drill %s, which there is not", s.Section, s.Drill)
		}
		if practised[s.Section] != "" {
			t.Errorf("section %q names two drills", s.Section)
		}
		practised[s.Section] = s.Drill
	}
	for _, d := range drill.All() {
		steps, err := drill.Repair(docs.Operations, d.Name)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if !strings.Contains(docs.Operations, "`chatops drill "+d.Name+"`") {
			t.Errorf("section %q does not say that chatops drill %s practises it", steps.Section, d.Name)
		}
	}
	for _, heading := range symptoms {
		if practised[heading] == "" || !strings.Contains(docs.Operations, "\n## "+heading+"\n") {
			t.Errorf("section %q has no drill, or is not there", heading)
		}
	}
	for heading := range practised {
		if !slices.Contains(symptoms, heading) {
			t.Errorf("section %q has a drill and is not among the symptoms of this test", heading)
		}
	}
}

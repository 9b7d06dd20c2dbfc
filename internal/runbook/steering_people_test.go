package runbook

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestDLQRetry_AsksWithThePaceInWords(t *testing.T) {
	t.Parallel()
	for flags, want := range map[string]string{
		"--rate 50":                           "at most 50 a second; halts when more than 20 % fail; ",
		"--rate 50/s --canary 2":              "at most 50 a second after a canary of 2; halts when more than 20 % fail; ",
		"--rate 30/m --max-failures 5":        "at most 0.5 a second; halts when more than 5 % fail; ",
		"--rate max --max-failures 12.5%":     "as fast as the receiver takes them; halts when more than 12.5 % fail; ",
		"--canary 1":                          "as fast as the receiver takes them after a canary of 1; halts when more than 20 % fail; ",
		"--canary 1000 --max-failures 0":      "as fast as the receiver takes them after a canary of 1000; halts when more than 0 % fail; ",
		"--canary 3 --rate 0.01 --status all": "at most 0.01 a second after a canary of 3; halts when more than 20 % fail; ",
	} {
		c := pacedConsole(t)
		c.must(exitRefused, "dlq retry --all "+flags)
		c.says("change       retry 3 alerts (status pending, failed), "+want, "takes about ", " if all goes well\n", "not confirmed")
		if len(c.store.ops) > 0 {
			t.Errorf("%s: an operation was made", flags)
		}
	}
}

func TestDLQRetry_ThePaceIsOnRecordWithTheFilter(t *testing.T) {
	t.Parallel()
	c := pacedConsole(t)
	c.must(exitOK, "dlq retry --target slack:alerts --rate 5 --canary 2 --max-failures 10 --yes --reason back")
	a := c.store.actions[0]
	if a.Command != "chatops dlq retry --target slack:alerts --rate 5 --canary 2 --max-failures 10 --yes --reason back" || a.Reason != "back" {
		t.Errorf("on record: %+v", a)
	}
	var filter map[string]any
	if err := json.Unmarshal([]byte(a.Filter), &filter); err != nil {
		t.Fatalf("%v in %s", err, a.Filter)
	}
	if !strings.Contains(a.Filter, "slack:alerts") {
		t.Errorf("the filter on record is %s", a.Filter)
	}
}

func TestRecords_HoldNothingOfAPayload(t *testing.T) {
	t.Parallel()
	payload := strings.ReplaceAll(mondayPayload, "Krakow", "Lublin")
	file := fileOf(t, strings.Replace(goodLine, `{"text":"x"}`, mondayPayload, 1), `{"exported":1}`)
	for _, line := range []string{
		"dlq edit 1 --set fields.phone=601000000 --reason typo --yes", "dlq edit 1 --set=item_name=Kowalski --reason typo --yes",
		"dlq edit 1 --payload new.json --reason typo --yes", "dlq import " + file + " --reason restored --yes", "dlq retry --all --yes",
		"dlq discard --all --reason test --yes", "dlq export --payload --purpose ticket-7",
	} {
		c := newSteeringConsole(t)
		c.files["new.json"] = payload
		c.must(exitOK, line)
		for _, secret := range []string{"Kowalski", "601 202 303", "601000000", "Krakow", "Lublin"} {
			for _, a := range c.store.actions {
				if strings.Contains(fmt.Sprintf("%+v", a), secret) {
					t.Errorf("chatops %s: %q is on record: %+v", line, secret, a)
				}
			}
			if strings.Contains(c.err.String(), secret) || strings.Contains(fmt.Sprintf("%+v", c.store.people.access), secret) {
				t.Errorf("chatops %s tells %q:\n%s", line, secret, &c.err)
			}
		}
	}
}

func TestDLQExport_AddressesInAFilterAreMaskedOnRecord(t *testing.T) {
	t.Parallel()
	c := newExportConsole(t, 1)
	c.must(exitOK, "dlq export --payload --purpose ticket-7 --error "+janTyped+" --target mailto:"+janKey)
	if len(c.store.people.access) != 1 {
		t.Fatalf("%d looks are on record", len(c.store.people.access))
	}
	quietAbout(t, "the record of looks", fmt.Sprintf("%+v", c.store.people.access[0]))
	quietAbout(t, "standard error", c.err.String())
}

func TestDashboard_RecordAndReplayReachIt(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]Dashboard{
		"dashboard --record new.jsonl":                       {RecordTo: "new.jsonl"},
		"dashboard --write --record new.jsonl":               {RecordTo: "new.jsonl", Write: true},
		"dashboard --plain --record new.jsonl":               {RecordTo: "new.jsonl"},
		"dashboard --replay old.jsonl":                       {Replay: "old.jsonl"},
		"dashboard --replay old.jsonl --at 90s --plain":      {Replay: "old.jsonl", At: "90s"},
		"dashboard --replay old.jsonl --at 12:30":            {Replay: "old.jsonl", At: "12:30"},
		"dashboard --replay old.jsonl --at 2026-03-10T12:00": {Replay: "old.jsonl", At: "2026-03-10T12:00"},
	} {
		var got *Dashboard
		c := watched(t, newFakeStore(), func(_ context.Context, d *Dashboard) error {
			got = d
			return nil
		})
		c.must(exitOK, line)
		if got == nil || got.RecordTo != want.RecordTo || got.Replay != want.Replay || got.At != want.At || got.Write != want.Write {
			t.Errorf("chatops %s shows %+v, want %+v", line, got, want)
		}
		if len(c.store.actions) > 0 || c.opened > 0 {
			t.Errorf("chatops %s opened %d databases", line, c.opened)
		}
	}
}

func TestDashboard_AReplaySaysInEveryFormatOfWhatItIs(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore())
	c.LookFunc = func(context.Context, *Dashboard) (*chatops.Situation, *Replayed, error) {
		return &chatops.Situation{At: noon}, &Replayed{
			Version: "v1", Environment: "Prod\x1b[2J", Host: "db.example:5432/x", From: noon.Add(-time.Hour), Until: noon,
		}, nil
	}
	for _, format := range outputFormats {
		c.must(exitOK, "dashboard --replay old.jsonl --once -o "+format)
		if got := c.out.String(); strings.Contains(got, "\x1b") || format != "csv" && (!strings.Contains(got, "old.jsonl") || !strings.Contains(got, "2026-03-10T11:00:00Z")) {
			t.Errorf("-o %s prints %q", format, got)
		}
	}
	c.must(exitOK, "dashboard --replay old.jsonl --once -o jsonl")
	want := `"replay":{"file":"old.jsonl","environment":"Prod\u001b[2J","host":"db.example:5432/x","version":"v1",` +
		`"from":"2026-03-10T11:00:00Z","until":"2026-03-10T12:00:00Z","cut_off":false}`
	if !strings.Contains(c.out.String(), want) {
		t.Errorf("it prints %s\nwant %s", &c.out, want)
	}
}

func TestDoctor_EveryFormatTellsTheFindingAndItsRepair(t *testing.T) {
	t.Parallel()
	c, free := clinic(t)
	free.Store(1 << 20)
	for _, format := range append([]string{""}, outputFormats...) {
		line := "doctor --check disk,config"
		if format != "" {
			line += " -o " + format
		}
		c.must(exitFinding, line)
		c.says("chatops: 1 of 2 checks need you: disk (problem)\n")
		for _, want := range []string{"disk", "problem", "1 MiB of 100 GiB free", "df -h /data", "the file system of the database is full", "the settings are sound"} {
			if !strings.Contains(c.out.String(), want) {
				t.Errorf("-o %s lacks %q:\n%s", format, want, &c.out)
			}
		}
		if c.opened > 0 || len(c.store.actions) > 0 {
			t.Error("checks of the disk and the settings opened the database")
		}
	}
}

// pagesOf reads a list page by page and returns the ids.
func pagesOf(t *rapid.T, c *console, line string, limit int) []int64 {
	var ids []int64
	after := ""
	for range 100 {
		if code := c.run(fmt.Sprintf("%s -o json --limit %d %s", line, limit, after)); code != exitOK {
			t.Fatalf("exit %d: %s", code, &c.err)
		}
		var page struct {
			Items []struct {
				ID int64 `json:"id"`
			} `json:"items"`
			Next *string `json:"next_cursor"`
		}
		if err := json.Unmarshal(c.out.Bytes(), &page); err != nil {
			t.Fatal(err)
		}
		if len(page.Items) > limit {
			t.Fatalf("a page of %d has %d", limit, len(page.Items))
		}
		for _, item := range page.Items {
			ids = append(ids, item.ID)
		}
		if page.Next == nil {
			return ids
		}
		after = "--after " + *page.Next
	}
	t.Fatal("the pages do not end")
	return nil
}

func TestPages_TogetherAreTheWholeListInItsOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		c := newConsole(t, newFakeStore())
		var alerts, changes []int64
		for i := range rapid.IntRange(0, 9).Draw(rt, "alerts") {
			c.store.alerts = append(c.store.alerts, chatops.Alert{
				ID: int64(20 - i), EventType: "slack_alert", Target: "slack:alerts", Status: chatops.AlertFailed, OperationID: "op_1",
				CreatedAt: noon.Add(-time.Duration(i/rapid.IntRange(1, 3).Draw(rt, "together")) * time.Minute),
			})
		}
		slices.SortFunc(c.store.alerts, func(a, b chatops.Alert) int {
			return -a.CreatedAt.Compare(b.CreatedAt)*2 - int(min(1, max(-1, a.ID-b.ID)))
		})
		for _, a := range c.store.alerts {
			alerts = append(alerts, a.ID)
		}
		for i := range rapid.IntRange(0, 9).Draw(rt, "changes") {
			c.store.actions = append(c.store.actions, chatops.OperatorAction{ID: int64(i + 1), At: noon, Filter: "{}"})
			changes = append([]int64{int64(i + 1)}, changes...)
		}
		c.store.paced("op_1", chatops.OperationRunning, 5)
		limit := rapid.IntRange(1, 4).Draw(rt, "limit")
		for line, want := range map[string][]int64{"dlq list": alerts, "dlq operations failures op_1": alerts, "audit list": changes} {
			if got := pagesOf(rt, c, line, limit); !slices.Equal(got, want) {
				rt.Fatalf("chatops %s in pages of %d is %v, want %v", line, limit, got, want)
			}
		}
	})
}

func TestGroupList_MutedCausesComeLastAndTheOthersStayInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		standings := rapid.SliceOfN(rapid.SampledFrom([]chatops.Standing{
			chatops.StandingOpen, chatops.StandingAcknowledged, chatops.StandingMuted, chatops.StandingGrowing,
		}), 0, 12).Draw(t, "standings")
		l := &groupList{}
		var first, last []string
		for i, s := range standings {
			g := groupView{Fingerprint: fmt.Sprint("f", i), State: s}
			if s == chatops.StandingMuted {
				until := timestamp(noon)
				g.MutedUntil = &until
				last = append(last, g.Fingerprint)
			} else {
				first = append(first, g.Fingerprint)
			}
			l.Items = append(l.Items, g)
		}
		l.order()
		var got []string
		for _, g := range l.Items {
			got = append(got, g.Fingerprint)
		}
		if want := slices.Concat(first, last); !slices.Equal(got, want) || l.Total.Muted != len(last) {
			t.Fatalf("%v in the order %v with %d muted, want %v", standings, got, l.Total.Muted, want)
		}
	})
}

func TestAlertReader_WhatIsOverStaysSoAndTheRestWaits(t *testing.T) {
	t.Parallel()
	for _, waiting := range []chatops.AlertStatus{chatops.AlertFailed, chatops.AlertPending} {
		r := &alertReader{waiting: waiting}
		for was, want := range map[chatops.AlertStatus]chatops.AlertStatus{
			chatops.AlertQueued: waiting, chatops.AlertPending: waiting, chatops.AlertFailed: waiting,
			chatops.AlertDelivered: chatops.AlertDelivered, chatops.AlertDiscarded: chatops.AlertDiscarded, chatops.AlertCancelled: chatops.AlertCancelled,
		} {
			line := strings.Replace(goodLine, `"status":"pending"`, fmt.Sprintf(`"status":%q`, was), 1)
			a, end, err := r.line([]byte(line))
			if err != nil || end != nil || a.Status != want {
				t.Errorf("--status %s: %s becomes %+v (%v)", waiting, was, a, err)
				continue
			}
			if again := a.RetryCount == 0; again != (want == chatops.AlertPending) {
				t.Errorf("--status %s: %s has %d retries behind it", waiting, was, a.RetryCount)
			}
		}
	}
}

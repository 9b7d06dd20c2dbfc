package runbook

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

func TestDLQList_PagesThroughEverythingOnce(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore(chatops.AlertFailed, chatops.AlertFailed, chatops.AlertPending, chatops.AlertFailed, chatops.AlertDelivered))
	var seen []int64
	after := ""
	for range 10 {
		c.must(exitOK, "dlq list --limit 2 -o json "+after)
		var page struct {
			Items []struct {
				ID int64 `json:"id"`
			} `json:"items"`
			NextCursor *string `json:"next_cursor"`
		}
		if err := json.Unmarshal(c.out.Bytes(), &page); err != nil {
			t.Fatal(err)
		}
		for _, a := range page.Items {
			seen = append(seen, a.ID)
		}
		if page.NextCursor == nil {
			break
		}
		after = "--after " + *page.NextCursor
	}
	if len(seen) != 4 || seen[0] != 5 || seen[3] != 2 {
		t.Errorf("pages hold %v, want 5 4 3 2", seen)
	}
}

func TestDLQList_EmptyListIsAnArray(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore())
	c.must(exitOK, "dlq list -o json")
	c.prints("{\n  \"items\": [],\n  \"next_cursor\": null\n}\n")
	c.must(exitOK, "dlq list -o jsonl")
	c.prints("")
	c.terminal("").must(exitOK, "dlq list")
	c.says("no alerts match")
}

func TestDLQList_FiltersSelect(t *testing.T) {
	t.Parallel()
	store := newFakeStore(chatops.AlertFailed, chatops.AlertPending, chatops.AlertDelivered, chatops.AlertQueued)
	store.alerts[0].EventType, store.alerts[0].ErrorMessage, store.alerts[0].RetryCount = "monday_item", "HTTP 500", 5
	store.alerts[1].Target, store.alerts[1].Fingerprint = "monday:leads", "f1"
	for line, want := range map[string]string{
		"":                                "4,3",
		"--status all":                    "4,3,2,1",
		"--status queued,delivered":       "2,1",
		"--status FAILED --status=queued": "4,1",
		"--type monday_item":              "4",
		"--target monday:leads":           "3",
		"--error http":                    "4",
		"--fingerprint f1":                "3",
		"--attempts 5":                    "4",
		"--since 90m":                     "4,3",
		"--until 30m":                     "3",
		"--since 2026-03-10T11:30:00Z":    "4",
		"--id 2":                          "2",
		"--id 2,4 --status failed":        "4",
		"--status all --limit 1":          "4",
	} {
		c := newConsole(t, store)
		c.must(exitOK, "dlq list -o jsonl "+line)
		var ids []string
		for text := range strings.SplitSeq(strings.TrimSpace(c.out.String()), "\n") {
			var a struct {
				ID json.Number `json:"id"`
			}
			if err := json.Unmarshal([]byte(text), &a); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, a.ID.String())
		}
		if got := strings.Join(ids, ","); got != want {
			t.Errorf("%q lists %s, want %s", line, got, want)
		}
	}
}

func TestDLQShow_NamesTheMailThatAMailServersLogHas(t *testing.T) {
	t.Parallel()
	for target, mailed := range map[string]bool{"mailto:jan@firma.example": true, chatops.TargetFollowups: true, "slack:alerts": false, "webhook:email": false} {
		store := newFakeStore(chatops.AlertFailed)
		a := &store.alerts[0]
		a.Target, a.IdempotencyKey = target, "followup:4711:1"
		c := newConsole(t, store)
		c.must(exitOK, "dlq show 1 --no-headers")
		if got := strings.Contains(c.out.String(), "message_id\t"+a.MessageID()+"\n"); got != mailed {
			t.Errorf("of an alert to %s it shows\n%s", target, &c.out)
		}
		c.must(exitOK, "dlq show 1 -o json")
		if got := strings.Contains(c.out.String(), `"message_id": "`+a.MessageID()+`"`); got != mailed {
			t.Errorf("of an alert to %s it shows\n%s", target, &c.out)
		}
	}
}

func TestDLQ_BadValuesAreUsageErrorsBeforeAnythingOpens(t *testing.T) {
	t.Parallel()
	tests := []struct {
		line string
		code int
		says string
	}{
		{"dlq list --limit -1", exitUsage, "--limit -1: must be 1 to 1000"},
		{"dlq list --limit 0", exitUsage, "--limit 0"},
		{"dlq list --limit 1001", exitUsage, "--limit 1001"},
		{"dlq list --limit many", exitUsage, `--limit "many": must be a whole number`},
		{"dlq list --since yesterday", exitUsage, `--since "yesterday": must be a duration (90m, 24h, 7d)`},
		{"dlq list --until 2026-02-30", exitUsage, `--until "2026-02-30"`},
		{"dlq list --since 1h --until 2h", exitUsage, "--since 1h is not before --until 2h"},
		{"dlq list --status lost", exitUsage, `--status "lost": must be all or some of queued, pending`},
		{"dlq list --attempts -3", exitUsage, "--attempts -3"},
		{"dlq list --after junk", exitUsage, `--after "junk": must be the next_cursor`},
		{"dlq list --id abc", exitUsage, `alert id "abc": must be a number`},
		{"dlq list extra", exitUsage, `takes no arguments, got "extra"`},
		{"dlq list -o xml", exitUsage, "must be one of table, wide, json"},
		{"dlq list --color blue", exitUsage, "must be one of auto, always, never"},
		{"dlq list --timeout soon", exitUsage, `"soon"`},
		{"dlq show", exitUsage, "needs one alert id"},
		{"dlq show 1 2", exitUsage, "needs one alert id"},
		{"dlq show abc", exitUsage, `alert id "abc"`},
		{"dlq show 0", exitNotFound, "alert 0: not found"},
		{"dlq show 99999999999999999999", exitNotFound, "not found"},
		{"dlq show op_17", exitNotFound, `"op_17" is an operation, not an alert`},
		{"dlq show -- -1", exitNotFound, "alert -1: not found"},
		{"dlq stats --since x", exitUsage, "--since"},
	}
	for _, tt := range tests {
		c := newConsole(t, newFakeStore(chatops.AlertFailed))
		c.must(tt.code, tt.line)
		c.says("chatops: ", tt.says)
		c.prints("")
		if c.opened != 0 {
			t.Errorf("%s opened the store", tt.line)
		}
	}
}

func TestDLQShow_UnknownIDIsNotFound(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore(chatops.AlertFailed))
	c.must(exitNotFound, "dlq show 42")
	c.says("chatops: alert 42: not found", "chatops dlq list --status all")
	if !c.store.closed {
		t.Error("the store was left open")
	}
}

func TestDLQStats_FiltersCountExactly(t *testing.T) {
	t.Parallel()
	store := newFakeStore(chatops.AlertFailed, chatops.AlertFailed, chatops.AlertQueued)
	store.alerts[0].Target = "webhook:crm"
	c := newConsole(t, store)
	c.must(exitOK, "dlq stats --target slack:alerts -o json")
	var got struct {
		Total           int64            `json:"total"`
		OldestWaitingAt *time.Time       `json:"oldest_waiting_at"`
		ByStatus        map[string]int64 `json:"by_status"`
	}
	if err := json.Unmarshal(c.out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Total != 2 || got.ByStatus["failed"] != 1 || got.OldestWaitingAt != nil {
		t.Errorf("filtered stats are %+v", got)
	}
	c.must(exitOK, "dlq stats --status queued --type slack_alert -o jsonl")
	c.prints(`{"event_type":"slack_alert","status":"queued","count":1}` + "\n")
}

func TestDLQStats_EmptyQueue(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore())
	c.must(exitOK, "dlq stats -o table")
	if !strings.Contains(c.out.String(), "total") || strings.Contains(c.out.String(), "oldest") {
		t.Errorf("empty queue shows %s", &c.out)
	}
}

func TestDLQ_UnreachableDatabaseNamesHostAndNextStep(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"dlq list", "dlq show 1", "dlq stats", "dlq retry --all --yes"} {
		c := newConsole(t, newFakeStore(chatops.AlertFailed))
		c.store.err = chatops.Errorf(chatops.CodeUnavailable, "connection refused")
		c.must(exitUnavailable, line)
		c.says("chatops: database db.example:5432/chatops: connection refused", "chatops config view --show-origin")
	}
}

func TestDLQ_MissingSQLiteFileNamesTheCommand(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore())
	path := t.TempDir() + "/none.db"
	c.vars["DATABASE_URL"] = "sqlite://" + path
	for _, line := range []string{"dlq list", "dlq show 1", "dlq stats", "dlq retry --all --yes", "migrate down --yes", "migrate redo --yes"} {
		c.must(exitUnavailable, line)
		c.says("chatops: database "+path+": no such file", "chatops migrate up")
	}
	if c.opened != 0 {
		t.Error("opening would have created the file")
	}
}

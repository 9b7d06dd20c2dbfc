package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// history has every state in which the queue and the replicas' limiters have ever
// been, by the time of the commit, so that whatever anybody was told at any time
// can be compared with what was true then.
type history struct {
	w      *world
	queue  []moment[queueFigures]
	limits []moment[limitFigures]
}

// moment is what was true, or was told, at a time.
type moment[T comparable] struct {
	from, at time.Time
	is       T
}

type (
	queueFigures struct{ queued, pending, failed, delivered int }
	limitFigures struct{ allowed, denied int }
)

// keepHistory makes the database note each change; it has to keep the times of
// commits.
func (w *world) keepHistory() *history {
	w.t.Helper()
	for _, statement := range []string{
		`create table test_queue (was text, is_now text)`,
		`create table test_limit (allowed int, denied int)`,
		`create function test_queue() returns trigger language plpgsql as $$ begin
			insert into test_queue values (case when tg_op <> 'INSERT' then old.status end, case when tg_op <> 'DELETE' then new.status end);
			return null; end $$`,
		`create function test_limit() returns trigger language plpgsql as $$ begin
			insert into test_limit select (l->>'allowed')::int, (l->>'denied')::int
				from json_array_elements(new.report->'limiter'->'limits') l where l->>'name' = 'health';
			return null; end $$`,
		`create trigger test_queue after insert or update or delete on dead_letter_queue for each row execute function test_queue()`,
		`create trigger test_limit after insert or update on server_instance for each row execute function test_limit()`,
	} {
		w.exec(statement)
	}
	return &history{w: w}
}

// read reads what has happened. Rows of one commit are one step.
func (h *history) read() {
	t := h.w.t
	t.Helper()
	rows, err := h.w.db.Query(`select pg_xact_commit_timestamp(xmin), coalesce(was, ''), coalesce(is_now, '') from test_queue order by 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	counts := map[string]int{}
	h.queue = []moment[queueFigures]{{}}
	for rows.Next() {
		var at time.Time
		var was, isNow string
		if err := rows.Scan(&at, &was, &isNow); err != nil {
			t.Fatal(err)
		}
		counts[was]--
		counts[isNow]++
		now := moment[queueFigures]{at: at, is: queueFigures{counts["queued"], counts["pending"], counts["failed"], counts["delivered"]}}
		if last := len(h.queue) - 1; h.queue[last].at.Equal(at) {
			h.queue[last] = now
		} else {
			h.queue = append(h.queue, now)
		}
	}
	limits, err := h.w.db.Query(`select pg_xact_commit_timestamp(xmin), allowed, denied from test_limit order by 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = limits.Close() }()
	h.limits = []moment[limitFigures]{{}}
	for limits.Next() {
		var now moment[limitFigures]
		if err := limits.Scan(&now.at, &now.is.allowed, &now.is.denied); err != nil {
			t.Fatal(err)
		}
		h.limits = append(h.limits, now)
	}
	if rows.Err() != nil || limits.Err() != nil {
		t.Fatal(rows.Err(), limits.Err())
	}
}

// lag is how much later than its time a commit may be seen by others, and how old
// what a screen shows may be.
const lag = 2 * time.Second

// was reports that something was true at some time between two others.
func was[T comparable](list []moment[T], is T, from, until time.Time) bool {
	for i, m := range list {
		ended := i+1 < len(list) && list[i+1].at.Before(from.Add(-lag))
		if m.is == is && !ended && m.at.Before(until) {
			return true
		}
	}
	return false
}

// check compares each answer in the record of a dashboard, each screen that was
// looked at, and each answer of a command with what was true at that time.
func (h *history) check(record string, p *pane) {
	t := h.w.t
	t.Helper()
	h.read()
	queue, limits := h.recorded(record)
	check(h, "the dashboard read", h.queue, queue)
	check(h, "the dashboard read", h.limits, limits)
	check(h, "dlq stats told", h.queue, h.w.toldQueue)
	check(h, "limiter status told", h.limits, h.w.toldLimits)
	shown := map[queueFigures]bool{}
	for _, s := range queue {
		shown[s.is] = true
	}
	if len(queue) < 20 || len(shown) < 10 || len(h.w.toldQueue) < 10 {
		t.Errorf("the dashboard has read the queue %d times and seen %d states, and dlq stats was asked %d times: too few to say anything",
			len(queue), len(shown), len(h.w.toldQueue))
	}
	n := screens(h, p.shots, queue, regexp.MustCompile(`total (\d+) (\d+) (\d+) (\d+) `), func(n []int) queueFigures { return queueFigures{n[0], n[1], n[2], n[3]} })
	m := screens(h, p.shots, limits, regexp.MustCompile(`health (\d+) (\d+) `), func(n []int) limitFigures { return limitFigures{n[0], n[1]} })
	if n < 50 || m < 50 {
		t.Errorf("%d screens show the queue and %d the limits: too few to say anything", n, m)
	}
	t.Logf("checked %d answers about the queue in %d states, %d about limits, %d and %d screens, and %d answers of dlq stats",
		len(queue), len(shown), len(limits), n, m, len(h.w.toldQueue))
}

func check[T comparable](h *history, what string, truth, told []moment[T]) {
	h.w.t.Helper()
	for _, m := range told {
		if !was(truth, m.is, m.from, m.at) {
			h.w.t.Errorf("%s %+v between %s and %s, which the database did not have then: %+v",
				what, m.is, m.from.Format(time.StampMilli), m.at.Format(time.StampMilli), around(truth, m.at))
		}
	}
}

// around are the states around a time, for a failure's text.
func around[T comparable](list []moment[T], at time.Time) string {
	var b strings.Builder
	for _, m := range list {
		if d := m.at.Sub(at); -2*lag < d && d < lag {
			fmt.Fprintf(&b, "\n  %s %+v", m.at.Format(time.StampMilli), m.is)
		}
	}
	return b.String()
}

// screens checks that each screen shows what the dashboard has read last, and
// returns how many did. One that was caught while it was being drawn may be torn;
// two in a row are not.
func screens[T comparable](h *history, shots []shot, read []moment[T], pattern *regexp.Regexp, of func([]int) T) (n int) {
	h.w.t.Helper()
	torn := false
	for _, s := range shots {
		found := pattern.FindStringSubmatch(strings.Join(strings.Fields(s.screen), " "))
		if found == nil {
			continue
		}
		numbers := make([]int, len(found)-1)
		for i := range numbers {
			numbers[i], _ = strconv.Atoi(found[i+1])
		}
		switch right := was(read, of(numbers), s.from, s.at); {
		case right:
			n++
			torn = false
		case torn:
			h.w.t.Errorf("at %s the screen shows %+v, which the dashboard had not read:%s\n%s", s.at.Format(time.StampMilli), of(numbers), around(read, s.at), s.screen)
		default:
			torn = true
		}
	}
	return n
}

// limitAnswer is a limit as a record has it.
type limitAnswer struct {
	Name    string `json:"name"`
	Allowed int    `json:"allowed"`
	Denied  int    `json:"denied"`
}

// recorded are the answers in a record of the dashboard.
func (h *history) recorded(path string) (queue []moment[queueFigures], limits []moment[limitFigures]) {
	t := h.w.t
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var e struct {
			At    time.Time `json:"at"`
			Asked time.Time `json:"asked"`
			Queue *struct {
				Counts []struct {
					Status string `json:"status"`
					Count  int    `json:"count"`
				} `json:"counts"`
			} `json:"queue"`
			Fleet *struct {
				Replicas []struct {
					Report struct {
						Limiter struct {
							Limits []limitAnswer `json:"limits"`
						} `json:"limiter"`
					} `json:"report"`
				} `json:"replicas"`
			} `json:"fleet"`
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		switch {
		case e.Queue != nil:
			counts := map[string]int{}
			for _, c := range e.Queue.Counts {
				counts[c.Status] += c.Count
			}
			queue = append(queue, moment[queueFigures]{e.Asked, e.At, queueFigures{counts["queued"], counts["pending"], counts["failed"], counts["delivered"]}})
		case e.Fleet != nil && len(e.Fleet.Replicas) == 1:
			for _, l := range e.Fleet.Replicas[0].Report.Limiter.Limits {
				if l.Name == "health" {
					limits = append(limits, moment[limitFigures]{e.Asked, e.At, limitFigures{l.Allowed, l.Denied}})
				}
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return queue, limits
}

func TestHistory_KnowsWhatWasTrueWhen(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	after := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	truth := []moment[int]{{at: after(0), is: 1}, {at: after(10), is: 2}, {at: after(20), is: 3}, {at: after(21), is: 4}}
	for _, c := range []struct {
		name        string
		is          int
		from, until int
		want        bool
	}{
		{"what is true", 2, 15, 16, true},
		{"what was just true", 1, 11, 12, true},
		{"what ended long ago", 1, 13, 14, false},
		{"what comes later", 3, 15, 16, false},
		{"what began meanwhile", 3, 19, 21, true},
		{"what is true to the end", 4, 90, 91, true},
		{"what never was", 7, 0, 90, false},
	} {
		if got := was(truth, c.is, after(c.from), after(c.until)); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"       // the driver "pgx"
	_ "github.com/ncruces/go-sqlite3/driver" // the driver "sqlite3"

	"chatops/internal/testserver"
)

func runMigrate(path, url string) error {
	cmd := exec.Command(path, "migrate", "up")
	cmd.Dir = filepath.Dir(path)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir, "DATABASE_URL=" + url}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("migrate up: %w\n%s", err, out)
	}
	return nil
}

// useDatabase makes the world's programs and the test itself use a database.
func (w *world) useDatabase(url string) {
	w.t.Helper()
	w.url = url
	w.env["DATABASE_URL"] = url
	driver, dsn := "pgx", url
	if w.engine == sqlite {
		path := strings.TrimPrefix(url, "sqlite://")
		driver, dsn = "sqlite3", "file:"+path+"?_pragma=busy_timeout(20000)"
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		w.t.Fatal(err)
	}
	db.SetMaxOpenConns(3)
	w.db = db
	w.t.Cleanup(func() { _ = db.Close() })
}

// bind writes ? placeholders the engine's way.
func (w *world) bind(query string) string {
	if w.engine == sqlite {
		return query
	}
	var b strings.Builder
	n := 0
	for _, r := range query {
		if r == '?' {
			n++
			b.WriteString("$" + strconv.Itoa(n))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	if _, err := w.db.Exec(w.bind(query), args...); err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
}

// number returns the one integer that a query gives.
func (w *world) number(query string, args ...any) int {
	w.t.Helper()
	n, err := w.tryNumber(context.Background(), query, args...)
	if err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
	return n
}

func (w *world) tryNumber(ctx context.Context, query string, args ...any) (int, error) {
	var n sql.NullInt64
	err := w.db.QueryRowContext(ctx, w.bind(query), args...).Scan(&n)
	return int(n.Int64), err
}

// text returns the one value of a query as text, "" for null.
func (w *world) text(query string, args ...any) string {
	w.t.Helper()
	var s sql.NullString
	if err := w.db.QueryRow(w.bind(query), args...).Scan(&s); err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
	return s.String
}

// await polls until the integer that a query gives is want.
func (w *world) await(want int, query string, args ...any) {
	w.t.Helper()
	w.awaitFor(patience, want, query, args...)
}

func (w *world) awaitFor(timeout time.Duration, want int, query string, args ...any) {
	w.t.Helper()
	got := 0
	err := testserver.Poll(timeout, func(ctx context.Context) (err error) {
		if got, err = w.tryNumber(ctx, query, args...); err == nil && got != want {
			err = errNotYet
		}
		return err
	})
	if err != nil {
		w.t.Fatalf("%s: got %d, want %d: %v\n%s", query, got, want, err, w.queue())
	}
}

// queue shows the queue, for failure messages.
func (w *world) queue() string {
	rows, err := w.db.Query(`select id, target, status, retry_count, coalesce(error_message, '') from dead_letter_queue order by id limit 40`)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = rows.Close() }()
	var b strings.Builder
	for rows.Next() {
		var id, retries int
		var target, status, text string
		if err := rows.Scan(&id, &target, &status, &retries, &text); err != nil {
			return err.Error()
		}
		fmt.Fprintf(&b, "%d %s %s retries=%d %q\n", id, target, status, retries, text)
	}
	if err := rows.Err(); err != nil {
		return err.Error()
	}
	return b.String()
}

// alert is a row of the queue, as a test sees it.
type alert struct {
	id                     int
	target, status, reason string
	retries, attempts      int
}

func (w *world) alerts() []alert {
	w.t.Helper()
	rows, err := w.db.Query(`select id, target, status, coalesce(error_message, ''), retry_count,
		(select count(*) from delivery_attempt a where a.alert_id = d.id) from dead_letter_queue d order by id`)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var list []alert
	for rows.Next() {
		var a alert
		if err := rows.Scan(&a.id, &a.target, &a.status, &a.reason, &a.retries, &a.attempts); err != nil {
			w.t.Fatal(err)
		}
		list = append(list, a)
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return list
}

// The payloads of alerts that tests put into the queue themselves.
const (
	slackPayload   = `{"text":"New lead"}`
	mondayPayload  = `{"item_name":"Jan Kowalski","external_id":"lead:s1","fields":{"email":"jan@przyklad.pl"}}`
	emailPayload   = `{"subject":"New lead","text":"Jan Kowalski"}`
	webhookPayload = `{"type":"lead.created","timestamp":"2026-01-01T00:00:00Z","data":{"n":1}}`
)

// enqueue inserts a row as another program would and returns its id.
func (w *world) enqueue(eventType, target, payload, key string) int {
	w.t.Helper()
	var id int
	query := `insert into dead_letter_queue (event_type, target, payload, idempotency_key, status) values (?, ?, ?, ?, 'queued') returning id`
	if err := w.db.QueryRow(w.bind(query), eventType, target, payload, key).Scan(&id); err != nil {
		w.t.Fatalf("enqueue: %v", err)
	}
	return id
}

// enqueueMany inserts n alerts to the webhook crm, with keys prefix-1 to
// prefix-n, in one of the waiting states or failed.
func (w *world) enqueueMany(n int, prefix, status string) {
	w.t.Helper()
	series := `with recursive s(i) as (select 1 union all select i + 1 from s where i < ?)`
	payload, key := `json_object('type', 'lead.created', 'n', i)`, `? || '-' || i`
	if w.engine == postgres {
		series = `with s(i) as (select generate_series(1, ?::int))`
		payload, key = `json_build_object('type', 'lead.created', 'n', i)`, `?::text || '-' || i`
	}
	w.exec(series+` insert into dead_letter_queue (event_type, target, payload, idempotency_key, status)
		select 'webhook_event', 'webhook:crm', `+payload+`, `+key+`, '`+status+`' from s`, n, prefix)
}

// leasesRunOut lets the time of every lease pass. A lease short enough to wait
// for would also run out wherever the machine is busy for a moment.
func (w *world) leasesRunOut() {
	w.t.Helper()
	past := `strftime('%Y-%m-%d %H:%M:%f', 'now', '-1 second') || '000'`
	if w.engine == postgres {
		past = `now() - interval '1 second'`
	}
	w.exec(`update dlq_lease set until = ` + past)
}

func (w *world) expectNoLease(t *testing.T) {
	t.Helper()
	if n := w.number(`select count(*) from dlq_lease`); n != 0 {
		t.Errorf("%d leases are left behind", n)
	}
}

package migrations_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"chatops/migrations"
)

// size is how many rows an older database has.
type size struct{ conversations, messages, leads, alerts int }

// fill makes a database of the ORM's shape with as many rows, of which some
// differ from what is expected in each of the usual ways.
func (d database) fill(tb testing.TB, db *sql.DB, n size) {
	tb.Helper()
	series := func(n int) string { return fmt.Sprintf("generate_series(1, %d) g (i)", n) }
	at := "timestamp '2025-01-01' + i * interval '31 seconds'"
	if d.dialect == migrations.SQLite {
		series = func(n int) string {
			return fmt.Sprintf("(with recursive g (i) as (select 1 union all select i + 1 from g where i < %d) select i from g)", n)
		}
		at = "strftime('%Y-%m-%d %H:%M:%S', '2025-01-01', '+' || (i * 31) || ' seconds') || '.' || substr('000000' || i, -6)"
	}
	d.exec(tb, db, ormShape()...)
	d.exec(tb, db,
		`insert into chat_conversations (id, session_id, started_at, context_data, awaiting_confirmation, followup_count, marketing_consent, rodo_consent)
		select i, 'session-' || i, `+at+`, '{"name": "Jan Kowalski", "email": "jan' || i || '@example.pl", "city": "Gdańsk", "square_meters": '
		|| case when i % 10 = 0 then '"75 m2"' else '75' end || ', "budget": 150000, "package": "comfort"}', false, 0, i % 3 > 0, true
		from `+series(n.conversations),
		fmt.Sprintf(`insert into chat_messages (id, conversation_id, message, sender, timestamp, is_followup)
		select i, 1 + i %% %d, 'Dzień dobry, ile kosztuje wykończenie mieszkania o powierzchni ' || (i %% 90) || ' m2 w Gdańsku?',
		case when i %% 2 = 0 then 'user' else 'bot' end, `, n.conversations)+at+`, false from `+series(n.messages),
		fmt.Sprintf(`insert into leads (id, session_id, name, email, phone, interested_package, property_size, location, status, notes, lead_score, created_at)
		select i, 'session-' || (1 + i %% %d), 'Jan Kowalski', 'jan' || i || '@example.pl', '600700800', 'comfort', '75', 'Gdańsk',
		case when i %% 50 = 0 then 'odd' else 'new' end, case when i %% 7 = 0 then 'marketing_consent:false' end, 70, `, n.conversations)+at+` from `+series(n.leads),
		`insert into dead_letter_queue (id, event_type, target, payload, error_message, retry_count, created_at, last_retry_at, status)
		select i, 'slack_alert', 'https://hooks.slack.com/services/T000/B000/secret', '{"text": "Nowy lead ' || i || ' z Gdańska, 75 m2, pakiet comfort"}',
		'ConnectionError: timed out', i % 5, `+at+`, `+at+`, case when i % 4 = 0 then 'pending' when i % 4 = 1 then 'failed' else 'delivered' end from `+series(n.alerts),
		`insert into consent_audit_log (id, conversation_id, email, action, timestamp)
		select i, i, 'jan' || i || '@example.pl', 'unsubscribe', `+at+` from `+series(n.conversations/100),
	)
}

// BenchmarkAdopt takes over the older database of a busy company. Its figures
// are seconds, and the most memory that the process of chatops and the one of
// PostgreSQL that works for it had at once.
func BenchmarkAdopt(b *testing.B) {
	n := size{conversations: 50_000, messages: 1_000_000, leads: 100_000, alerts: 100_000}
	for _, engine := range []string{"postgres", "sqlite-wal", "sqlite-delete"} {
		b.Run(engine, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				d := benchDatabase(b, engine)
				db := d.open(b)
				d.fill(b, db, n)
				peak := watchMemory(b, db, d.dialect)
				m := newMigrator(b, d.open(b), d.dialect)
				b.StartTimer()
				begin := time.Now()
				if _, err := m.PreviewAdoption(b.Context()); err != nil {
					b.Fatal(err)
				}
				preview := time.Since(begin)
				begin = time.Now()
				if _, err := m.Up(b.Context()); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(preview.Seconds(), "preview-s")
				b.ReportMetric(time.Since(begin).Seconds(), "adopt-s")
				own, server := peak()
				b.ReportMetric(own, "own-MiB")
				b.ReportMetric(server, "server-MiB")
				for _, t := range m.Adopted().Tables {
					b.Logf("%s: %d rows, %d kept, %d archived, %d changed", t.From, t.RowsBefore, t.Kept, t.Archived, t.Changed)
				}
			}
		})
	}
}

func benchDatabase(b *testing.B, engine string) database {
	b.Helper()
	switch engine {
	case "postgres":
		return newPostgres(b)
	case "sqlite-wal":
		return sqliteDatabase(filepath.Join(b.TempDir(), "bench.db"), "wal")
	}
	return sqliteDatabase(filepath.Join(b.TempDir(), "bench.db"), "delete")
}

// watchMemory returns a function that stops watching and returns the most
// memory, in MiB, of this process and of a session of the server.
func watchMemory(b *testing.B, db *sql.DB, dialect migrations.Dialect) (stop func() (own, server float64)) {
	b.Helper()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o600); err != nil {
		b.Logf("peak of memory includes what came before: %v", err)
	}
	done, result := make(chan struct{}), make(chan float64)
	go func() {
		most := 0.0
		ticker := time.NewTicker(100 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				result <- most
				return
			case <-ticker.C:
			}
			if dialect == migrations.Postgres {
				most = max(most, serverMemory(db))
			}
		}
	}()
	return func() (float64, float64) {
		close(done)
		return statusMiB("self", "VmHWM:"), <-result
	}
}

// serverMemory is the private memory of the sessions on the database.
func serverMemory(db *sql.DB) float64 {
	rows, err := db.QueryContext(context.Background(), `select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`)
	if err != nil {
		return 0
	}
	defer func() { _ = rows.Close() }()
	sum := 0.0
	for rows.Next() {
		var pid int
		if rows.Scan(&pid) == nil {
			sum += statusMiB(strconv.Itoa(pid), "RssAnon:")
		}
	}
	if rows.Err() != nil {
		return 0
	}
	return sum
}

func statusMiB(process, field string) float64 {
	raw, err := os.ReadFile("/proc/" + process + "/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(raw), field)
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, _ := strconv.ParseFloat(fields[0], 64)
	return kib / 1024
}

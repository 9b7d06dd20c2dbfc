package bench

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver"

	"chatops/internal/chatops"
	"chatops/internal/sqlite"
)

var followups = []time.Duration{24 * time.Hour, 72 * time.Hour, 168 * time.Hour}

// openFile migrates a new database file and opens our store on it.
func openFile(b *testing.B) (s *sqlite.Store, path string) {
	b.Helper()
	ctx := context.Background()
	path = filepath.Join(b.TempDir(), "bench.db")
	m, err := sqlite.NewMigrator(ctx, "sqlite://"+path)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := m.Up(ctx); err != nil {
		b.Fatal(err)
	}
	if err := m.Close(); err != nil {
		b.Fatal(err)
	}
	if s, err = sqlite.Open(ctx, "sqlite://"+path, sqlite.Options{}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s, path
}

// execAll runs statements on a server, or on a file.
func execAll(b *testing.B, url string, statements ...string) {
	b.Helper()
	if strings.HasPrefix(url, "postgres") {
		for _, s := range statements {
			reset(b, url, s)
		}
		return
	}
	db, err := sql.Open("sqlite3", "file:"+url)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			b.Fatal(err)
		}
	}
}

// silentPeople stores n conversations with both consents and an address of their
// own, silent for 30 hours, numbered from 1.
func silentPeople(b *testing.B, url string, n int) {
	b.Helper()
	now := "now() - interval '30 hours'"
	if !strings.HasPrefix(url, "postgres") {
		now = "strftime('%Y-%m-%d %H:%M:%f', 'now', '-30 hours') || '000'"
	}
	execAll(b, url, fmt.Sprintf(`
		with recursive n(i) as (select 1 union all select i + 1 from n where i < %d)
		insert into chat_conversations (id, session_id, email, started_at, last_user_message_at, marketing_consent, rodo_consent)
		select i, 's' || i, 'jan' || i || '@x.example', %s, %s, true, true from n`, n, now, now))
}

func plan(conversation int) *chatops.FollowupPlan {
	email := fmt.Sprintf("jan%d@x.example", conversation)
	mail, err := json.Marshal(chatops.EmailPayload{To: email, Subject: "s", Text: payloadText, HTML: payloadText})
	if err != nil {
		panic(err) // a struct of strings
	}
	return &chatops.FollowupPlan{
		ConversationID: int64(conversation), Number: 1, Schedule: followups, Email: email, Message: payloadText,
		Mail: chatops.NewAlert{
			EventType: chatops.EventFollowup, Target: chatops.TargetFollowups, Payload: mail,
			IdempotencyKey: fmt.Sprintf("followup:%d:1", conversation),
		},
	}
}

// BenchmarkFollowupInsert lets 64 workers try every follow-up twice. Beside them
// 64 clients do the same with nothing but the bare statement: one insert ... on
// conflict do nothing in its own transaction, into a table with the same indexes.
// Planning is that statement and a look under lock, the mail, the message and the
// counter of the conversation. No key may be won twice.
func BenchmarkFollowupInsert(b *testing.B) {
	const people, workers = 2000, 64
	ctx := context.Background()
	srv := durable(b)
	url := srv.Database("followups")
	store, pool := open(b, url, workers), connect(b, url, workers)
	execAll(b, url, "create table bare (like followup_event including all)")
	silentPeople(b, url, people)
	race := func(do func(conversation int) (bool, error)) cost {
		var won atomic.Int64
		settle(b, url)
		c := measure(b, srv, url, people, func() {
			spread(b, workers, 2*people, func(i int) error {
				ok, err := do(1 + i/2) // two workers at the same time
				if ok {
					won.Add(1)
				}
				return err
			})
		})
		if won.Load() != people {
			b.Fatalf("%d keys of %d were won", won.Load(), people)
		}
		return c
	}
	speed := versus{what: "follow-ups planned, 64 workers", peer: "bare insert", unit: "keys/s"}
	work := versus{what: "processor time of one", peer: "bare insert", unit: "us"}
	spread(b, workers, 4*workers, func(int) error { // every connection is open then
		_, err := store.Followups(ctx, 0, "", 1)
		return errors.Join(err, pool.Ping(ctx))
	})
	for range *rounds {
		execAll(b, url, "truncate followup_event, bare", "delete from dead_letter_queue", "delete from chat_messages",
			"update chat_conversations set followup_count = 0, last_followup_at = null")
		ours := race(func(i int) (bool, error) { return store.PlanFollowup(ctx, plan(i)) })
		theirs := race(func(i int) (bool, error) {
			tag, err := pool.Exec(ctx, `insert into bare (conversation_id, followup_number, status, sent_at, person_key)
				values ($1, 1, 'queued', now(), $2) on conflict do nothing`, i, fmt.Sprintf("jan%d@x.example", i))
			return tag.RowsAffected() == 1, err
		})
		speed.add(ours.perSecond(), theirs.perSecond())
		work.add(ours.cpuMicros(), theirs.cpuMicros())
	}
	speed.report(b)
	work.report(b)
}

// BenchmarkFollowupCheck reads consent under lock right before DATA, one message
// after the other and 16 at once: what every follow-up pays.
func BenchmarkFollowupCheck(b *testing.B) {
	const people = 500
	url := durable(b).Database("check")
	file, path := openFile(b)
	for _, e := range []struct {
		name, url string
		store     chatops.FollowupStore
	}{{"PostgreSQL", url, open(b, url, 20)}, {"SQLite", path, file}} {
		silentPeople(b, e.url, people)
		alerts, fences := begun(b, e.store, people)
		for _, workers := range []int{1, 16} {
			took := make([]time.Duration, people)
			spread(b, workers, people, func(i int) error {
				start := time.Now()
				return e.store.SendFollowup(context.Background(), alerts[i], fences[i], func() error {
					took[i] = time.Since(start)
					return nil
				})
			})
			latency(b, fmt.Sprintf("consent check, %s, %d at once", e.name, workers), took)
		}
	}
}

// begun plans and begins a follow-up of each of n people.
func begun(b *testing.B, s chatops.FollowupStore, n int) (alerts, fences []int64) {
	b.Helper()
	ctx := context.Background()
	for i := range n {
		if planned, err := s.PlanFollowup(ctx, plan(i+1)); err != nil || !planned {
			b.Fatal(planned, err)
		}
		list, err := s.Followups(ctx, int64(i+1), "", 1)
		if err != nil || len(list) != 1 {
			b.Fatal(list, err)
		}
		fence, err := s.BeginFollowup(ctx, list[0].AlertID)
		if err != nil {
			b.Fatal(err)
		}
		alerts, fences = append(alerts, list[0].AlertID), append(fences, fence)
	}
	return alerts, fences
}

// BenchmarkFollowupDuplicates runs `chatops followup duplicates` over 1,000,000
// follow-ups whose constraint has been lost: once without a duplicate, and once
// with 10,000 pairs of them.
func BenchmarkFollowupDuplicates(b *testing.B) {
	bin := build(b)
	server := durable(b).Database("duplicates")
	open(b, server, 1)
	fill := `with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000000)
		insert into followup_event (conversation_id, followup_number, status, sent_at)
		select 1 + (i - 1) / 4, 1 + (i - 1) %% 4, 'sent', %s from n`
	talks := `with recursive n(i) as (select 1 union all select i + 1 from n where i < 250000)
		insert into chat_conversations (id, session_id) select i, 's' || i from n`
	again := `insert into followup_event (conversation_id, followup_number, status, sent_at)
		select conversation_id, followup_number, 'sent', sent_at from followup_event where id <= 10000`
	execAll(b, server, "alter table followup_event drop constraint uq_conversation_followup", talks, fmt.Sprintf(fill, "now()"), "vacuum analyze")
	_, path := openFile(b)
	execAll(b, path, "drop table followup_event", `create table followup_event (
		id integer primary key autoincrement, conversation_id integer not null, followup_number integer not null,
		status text not null default 'sent', sent_at text not null, alert_id integer, person_key text, fence integer not null default 0)`,
		fmt.Sprintf(fill, "'2026-01-02 10:00:00.000000'"))
	for name, url := range map[string]string{"PostgreSQL": server, "SQLite": path} {
		for _, pairs := range []int{0, 10_000} {
			if pairs > 0 {
				execAll(b, url, again)
			}
			duplicates(b, bin, name, url, pairs)
		}
	}
}

// duplicates runs the command and prints what it took; the process is all that
// is measured of it, so that on SQLite the database is part of it.
func duplicates(b *testing.B, bin, name, url string, pairs int) {
	b.Helper()
	if !strings.HasPrefix(url, "postgres") {
		url = "sqlite://" + url
	}
	var took []float64
	var peak float64
	for range *rounds {
		cmd := exec.Command(bin, "followup", "duplicates", "-o", "jsonl", "--limit", "1000000")
		cmd.Dir, cmd.Env = b.TempDir(), []string{"DATABASE_URL=" + url, "PATH=" + os.Getenv("PATH"), "HOME=" + b.TempDir()}
		begin := time.Now()
		out, err := cmd.Output()
		took = append(took, time.Since(begin).Seconds())
		if code := cmd.ProcessState.ExitCode(); code != 4 { // the constraint is missing, or pairs were found
			b.Fatalf("exit %d, %v: %.300s", code, err, out)
		}
		usage, _ := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		peak = max(peak, float64(usage.Maxrss)/1024)
	}
	fmt.Printf("followup duplicates, %-10s %6d pairs of 1,000,000 rows: %6.2f s, peak %5.1f MB\n", name, pairs, median(took), peak)
}

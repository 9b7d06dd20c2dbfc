package e2e

import (
	"context"
	"strconv"
	"strings"
	"testing"
)

// jobHistory makes the database write down every run of a job that begins and
// every result.
const jobHistory = `
create table job_history (name text, slot timestamptz, fence bigint, instance text, what text);
create function keep_job_history() returns trigger language plpgsql as $$
begin
    if new.fence <> old.fence then
        insert into job_history values (new.name, new.slot, new.fence, new.holder, 'begun');
    end if;
    if new.last_finished is distinct from old.last_finished then
        insert into job_history values (new.name, new.slot, new.fence, old.holder, 'ended');
    end if;
    return new;
end $$;
create trigger keep_job_history after update on scheduled_job for each row execute function keep_job_history()`

// F13: the replica that runs a job is killed in the middle of it, held up there
// by a lock of the test's. Another one takes the run over and no sooner than the
// lease has passed, the run that was given away leaves no result, and of three
// processes that race for each slot of another job one runs it.
func TestJobs_HolderKilled_AnotherTakesOverAndNoSlotRunsTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, postgres)
	w.env["DLQ_RETRY_MINUTES"] = "0.01"
	for _, statement := range strings.SplitAfter(jobHistory, "instance text, what text);") {
		w.exec(statement)
	}
	all := []*server{w.serve(), w.serve(), w.serve()}
	w.await(1, `select count(*) from scheduled_job where name = 'request_cleanup'`)
	unlock := w.lockTable(t, "idempotency_key")
	w.exec(`update scheduled_job set slot = slot - interval '10 minutes' where name = 'request_cleanup'`)
	w.await(1, `select count(*) from scheduled_job where name = 'request_cleanup' and holder is not null`)
	const holder = `select holder from scheduled_job where name = 'request_cleanup'`
	first := w.text(holder)
	alive := all[:0]
	for _, s := range all {
		if pid := ":" + strconv.Itoa(s.pid()); strings.HasSuffix(first, pid) {
			s.kill()
		} else {
			alive = append(alive, s)
		}
	}
	if len(alive) != 2 {
		t.Fatalf("the holder %s is none of the three", first)
	}
	w.await(3, `select least(count(*), 3) from job_history where name = 'dlq_retry' and what = 'ended'`)
	if now := w.text(holder); now != first {
		t.Fatalf("%s took over while the lease of %s lasts", now, first)
	}
	w.exec(`update scheduled_job set lease_until = now() where name = 'request_cleanup'`)
	w.await(1, `select count(*) from scheduled_job where name = 'request_cleanup' and holder <> $1`, first)
	unlock()
	w.await(1, `select count(*) from scheduled_job where name = 'request_cleanup' and holder is null and last_result like 'ok: %'`)

	if n := w.number(`select count(*) from job_history where name = 'request_cleanup' and what = 'begun'`); n != 2 {
		t.Errorf("the slot was begun %d times, want 2: by the killed process and by another", n)
	}
	if n := w.number(`select count(*) from job_history where name = 'request_cleanup' and what = 'ended'`); n != 1 {
		t.Errorf("the slot has %d results", n)
	}
	if n := w.number(`select count(*) - count(distinct slot) from job_history where name = 'dlq_retry' and what = 'begun'`); n != 0 {
		t.Errorf("%d slots of dlq_retry ran more than once", n)
	}
	if list := w.must("jobs", "list", "request_cleanup", "-o", "json").out; !strings.Contains(list, `"last_result": "ok: 0 keys deleted"`) {
		t.Errorf("jobs list shows\n%s", list)
	}
	if _, body := alive[0].get("/api/health/deep"); !strings.Contains(body, `"name":"request_cleanup"`) || !strings.Contains(body, `"name":"cache_cleanup"`) {
		t.Errorf("deep health lacks jobs: %s", body)
	}
}

// lockTable keeps everybody else from reading a table until unlock or the end of
// the test.
func (w *world) lockTable(t *testing.T, table string) (unlock func()) {
	t.Helper()
	ctx := context.Background()
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() })
	if _, err := tx.ExecContext(ctx, "lock table "+table+" in access exclusive mode"); err != nil {
		t.Fatal(err)
	}
	return func() { _ = tx.Rollback() }
}

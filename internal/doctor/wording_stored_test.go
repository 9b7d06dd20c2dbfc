package doctor

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"chatops/internal/chatops"
)

func TestJobs_WordWhatIsWrongWithThem(t *testing.T) {
	t.Parallel()
	const run = "chatops jobs run followups"
	at := func(change func(j *chatops.JobState)) func(b *body) {
		j := chatops.JobState{Name: "followups", NextRun: noon.Add(time.Hour), LastResult: "ok: 1"}
		change(&j)
		return job(j)
	}
	late := Finding{Problem, "job followups is late", "no replica with SCHEDULER_ENABLED=true has begun it", run}
	checkWordings(t, "jobs", []wording{
		{"all in time", func(*body) {}, "2 jobs in time", nil},
		{"one", func(b *body) { b.store.jobs = b.store.jobs[1:] }, "1 job in time", nil},
		{"a little late", at(func(j *chatops.JobState) { j.NextRun = noon.Add(-2 * time.Minute) }), "3 jobs in time", nil},
		{"running for long", at(func(j *chatops.JobState) {
			j.NextRun, j.Holder, j.LeaseUntil = noon.Add(-time.Hour), "web-1:1", noon.Add(1)
		}), "3 jobs in time", nil},
		{"requested", at(func(j *chatops.JobState) { j.Requested = noon.Add(-time.Hour) }), "3 jobs in time", nil},
		say("late", at(func(j *chatops.JobState) { j.NextRun = noon.Add(-2*time.Minute - 1) }), late),
		say("late, and its last run failed", at(func(j *chatops.JobState) {
			j.NextRun, j.LastResult = noon.Add(-time.Hour), "failed: disk"
		}), late),
		say("its replica is gone", at(func(j *chatops.JobState) { j.Holder, j.LeaseUntil = "web-9:9", noon }), Finding{
			Warning, "job followups was interrupted", "its replica has gone silent; another one takes over", run,
		}),
		say("failed", at(func(j *chatops.JobState) { j.LastResult = "failed: \x1b[31mdisk" }), Finding{
			Problem, "the last run of job followups failed", `failed: \x1b[31mdisk`, run,
		}),
		say("paused", at(func(j *chatops.JobState) {
			j.Paused, j.PausedBy, j.PausedReason, j.NextRun = true, "ola", "wrong text", noon.Add(-time.Hour)
		}), Finding{Warning, "job followups is paused by ola", "wrong text", "chatops jobs resume followups"}),
		say("one of each process", func(b *body) {
			b.store.replicas[1].Report.Jobs[0] = chatops.JobReport{Name: "cache_cleanup", LastRun: noon.Add(1), LastResult: "failed: full"}
		}, Finding{Problem, "the last run of job cache_cleanup failed", "failed: full", "chatops jobs run cache_cleanup"}),
	})
}

func TestDuplicates_CountPairsAndExtraRows(t *testing.T) {
	t.Parallel()
	const repair = "chatops followup duplicates --fix --reason 'constraint was dropped'"
	missing := Finding{Problem, "uq_conversation_followup is missing", "somebody has dropped it; follow-ups may be sent twice", repair}
	twice := func(text string) Finding {
		return Finding{Problem, text, "they were written while uq_conversation_followup was missing", repair}
	}
	rows := func(counts ...int) func(b *body) {
		return func(b *body) {
			for _, n := range counts {
				b.store.duplicates = append(b.store.duplicates, chatops.FollowupDuplicate{Count: n})
			}
		}
	}
	unguarded := func(b *body) { b.store.unguarded = true }
	checkWordings(t, "followups", []wording{
		{"none", func(*body) {}, "uq_conversation_followup is there, no duplicates", nil},
		say("one", rows(2), twice("1 follow-up exists more than once, with 1 extra row")),
		say("many", rows(2, 2, 5), twice("3 follow-ups exist more than once, with 6 extra rows")),
		say("none yet", unguarded, missing),
		{
			"both", both(unguarded, rows(3)), missing.Text + "; 1 follow-up exists more than once, with 2 extra rows",
			[]Finding{missing, twice("1 follow-up exists more than once, with 2 extra rows")},
		},
	})
	many := func(n int) func(b *body) {
		return func(b *body) { b.store.uncertain = make([]chatops.Followup, n) }
	}
	uncertain := func(text string) Finding {
		return Finding{Warning, text + " may or may not have been sent", "the mail server's answer was lost; they are never repeated by themselves", "chatops followup list --status uncertain"}
	}
	checkWordings(t, "uncertain_followups", []wording{
		{"none", func(*body) {}, "none is uncertain", nil},
		say("one", many(1), uncertain("1 follow-up")),
		say("two", many(2), uncertain("2 follow-ups")),
		{"settled", func(b *body) {
			b.store.uncertain = []chatops.Followup{{AlertID: 7}, {AlertID: 8}}
			b.store.mails = map[int64]chatops.AlertStatus{7: chatops.AlertDiscarded} // and 8 is too old
		}, "none is uncertain", nil},
		say("one settled", func(b *body) {
			b.store.uncertain = []chatops.Followup{{AlertID: 7}, {AlertID: 8}}
			b.store.mails = map[int64]chatops.AlertStatus{7: chatops.AlertDiscarded, 8: chatops.AlertFailed}
		}, uncertain("1 follow-up")),
	})
}

func TestMigrations_SayWhichSideIsNewer(t *testing.T) {
	t.Parallel()
	schema := func(current, latest int64, pending int) func(b *body) {
		return func(b *body) {
			b.schema = chatops.MigrationStatus{Current: current, Latest: latest, Pending: make([]chatops.Migration, pending)}
		}
	}
	pending := func(text string) Finding {
		return Finding{Problem, text, "the program is newer than the database", "chatops migrate up"}
	}
	checkWordings(t, "migrations", []wording{
		{"equal", schema(8, 8, 0), "the schema is at version 8 of 8", nil},
		say("none is applied", schema(0, 8, 8), pending("8 migrations pending: the schema is at version 0 of 8")),
		say("one was left out", schema(9, 8, 1), pending("1 migration pending: the schema is at version 9 of 8")),
		say("newer", schema(9, 8, 0), Finding{
			Warning, "the schema is at version 9, this program knows up to 8", "a newer program has migrated the database", "chatops version",
		}),
	})
}

func TestDisk_IsJudgedAtItsEdges(t *testing.T) {
	t.Parallel()
	room := func(free, total int64) func(b *body) {
		return func(b *body) { b.disk = Disk{Folder: "/data", Free: free, Total: total} }
	}
	full := func(text string) Finding {
		return Finding{Problem, text + ": writes are about to be refused", "the file system of the database is full", "df -h /data"}
	}
	checkWordings(t, "disk", []wording{
		{"a tenth of a large one", room(1<<30, 100<<30), "1 GiB of 100 GiB free", nil},
		{"little, but more than a tenth of a small one", room(200<<20, 2000<<20), "200 MiB of 1.953 GiB free", nil},
		say("less than a gigabyte and a tenth", room(1<<30-1, 11<<30), Finding{
			Warning, "1024 MiB of 11 GiB free", "the file system of the database fills up", "df -h /data",
		}),
		say("as little as may be", room(128<<20, 100<<30), Finding{
			Warning, "128 MiB of 100 GiB free", "the file system of the database fills up", "df -h /data",
		}),
		say("less", room(128<<20-1, 100<<30), full("128 MiB of 100 GiB free")),
		say("nothing", room(0, 1<<40), full("0 B of 1 TiB free")),
		say("little of a little one", room(100<<20, 120<<20), full("100 MiB of 120 MiB free")),
	})
	b := healthy()
	b.DiskFunc = func() (*Disk, error) { return nil, chatops.Errorf(chatops.CodeInternal, "statfs: no such file") }
	if r := one(t, b, "disk"); r.State != Unknown || r.Text != "could not be found out: statfs: no such file" {
		t.Errorf("a disk that cannot be measured is %s: %s", r.State, r.Text)
	}
}

func TestConsent_NeedsEveryKindAndItsKey(t *testing.T) {
	t.Parallel()
	lacks := func(kind string) Finding {
		return Finding{Problem, "there is no valid consent text of kind " + kind, "chatops serve stores the built-in ones when it starts", "chatops serve"}
	}
	text := func(kind chatops.ConsentKind, from time.Time) chatops.ConsentText {
		return chatops.ConsentText{Kind: kind, Locale: "pl", ValidFrom: from}
	}
	texts := func(list ...chatops.ConsentText) func(b *body) {
		return func(b *body) { b.store.texts = list }
	}
	keyless := Finding{
		Warning, "links in mails are signed with a key that the database keeps", "CONSENT_KEYS is not set; whoever reads a backup has the key",
		"chatops config view --show-origin",
	}
	checkWordings(t, "consent", []wording{
		{"valid from now on", texts(text(chatops.KindRODO, noon), text(chatops.KindMarketing, noon)), "2 consent texts", nil},
		say("valid in a moment", texts(text(chatops.KindRODO, noon.Add(1)), text(chatops.KindMarketing, noon)), lacks("rodo")),
		say("a later version does not end the earlier one", both(texts(
			text(chatops.KindRODO, noon), text(chatops.KindRODO, noon.Add(time.Hour)), text(chatops.KindMarketing, noon),
		), func(b *body) { b.Settings.ConsentKeys = false }), keyless),
		{
			"nothing at all", both(texts(), func(b *body) { b.Settings.ConsentKeys = false }),
			lacks("marketing").Text + "; " + lacks("rodo").Text + "; " + keyless.Text, []Finding{lacks("marketing"), lacks("rodo"), keyless},
		},
	})
}

func TestChain_CountsRowsAndFindings(t *testing.T) {
	t.Parallel()
	tampered := func(n string) Finding {
		return Finding{
			Problem, "the record of consent is not as it was written: " + n, "rows were changed, removed or added behind the program's back",
			"chatops consent audit verify",
		}
	}
	rows := func(n int64) func(b *body) {
		return func(b *body) { b.ChainFunc = func(context.Context) (int64, int, error) { return n, 0, nil } }
	}
	checkWordings(t, "consent_audit", []wording{
		{"none", rows(0), "0 rows verified", nil},
		{"one", rows(1), "1 row verified", nil},
		{"many", func(*body) {}, "1204 rows verified", nil},
		say("one finding", func(b *body) { b.broken = 1 }, tampered("1 finding")),
		say("two findings", func(b *body) { b.broken = 2 }, tampered("2 findings")),
	})
}

func TestConfig_PutsWhatIsWrongBeforeWhatSurprises(t *testing.T) {
	t.Parallel()
	checkWordings(t, "config", []wording{
		{"sound", func(*body) {}, "the settings are sound", nil},
		{"both", func(b *body) {
			b.Settings.Warnings, b.Settings.Problems = []string{"w"}, []string{"p1", "p2\r"}
		}, `p1; p2\r; w`, []Finding{
			{Problem, "p1", "", "chatops config check"}, {Problem, `p2\r`, "", "chatops config check"},
			{Warning, "w", "", "chatops config view --show-origin"},
		}},
	})
}

func TestIntegrations_AreAskedSideBySide(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := healthy()
		b.Integrations = nil
		for i := range 9 {
			b.Integrations = append(b.Integrations, Integration{fmt.Sprintf("webhook:%d", i), func(ctx context.Context) error {
				if i%4 != 0 {
					return nil
				}
				<-ctx.Done()
				return ctx.Err()
			}})
		}
		start := time.Now()
		r := one(t, b, "integrations")
		if took := time.Since(start); took != time.Minute {
			t.Errorf("it took %s, want the time of one", took)
		}
		if want := "webhook:0 cannot be reached from here; webhook:4 cannot be reached from here; webhook:8 cannot be reached from here"; r.Text != want {
			t.Errorf("it says %q, want %q", r.Text, want)
		}
		if f := r.Findings[1]; f.Command != "chatops breaker trip webhook:4 --for 1h --reason 'cannot be reached'" || f.Cause != "no answer within 1m" {
			t.Errorf("it finds %+v", f)
		}
	})
	checkWordings(t, "integrations", []wording{{"all", func(*body) {}, "slack, email can be reached", nil}})
}

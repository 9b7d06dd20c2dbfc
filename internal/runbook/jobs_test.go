package runbook

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chatops/internal/chatops"
)

func TestJobsList_ShowsEveryJobInEveryState(t *testing.T) {
	t.Parallel()
	for file, line := range map[string]string{
		"jobs.tsv": "jobs list", "jobs.wide": "jobs list -o wide", "jobs.json": "jobs list -o json",
		"jobs_cache.tsv": "jobs list cache_cleanup",
	} {
		c := newConsole(t, scheduled())
		c.must(exitOK, line)
		golden(t, file, c.out.String())
		if strings.ContainsAny(c.out.String(), "\x1b") {
			t.Errorf("%s lets a reason command the terminal", line)
		}
	}
}

func TestJobsList_OfNothing_SaysWhatToStart(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeFleet()).terminal("")
	c.must(exitOK, "jobs list")
	c.says("a replica makes them known when it starts")
	c.must(exitOK, "jobs list -o json")
	c.prints("{\n  \"jobs\": []\n}\n")
	c.must(exitFinding, "jobs list --check")
	c.must(exitNotFound, "jobs list nothing")
	c.must(exitNotFound, "jobs run dlq_retry --yes")
	c.says("there are no jobs yet", "chatops serve")
	c.must(exitUsage, "jobs list --check --watch")
}

func TestJobsList_Check_NamesWhatIsNotAsItShouldBe(t *testing.T) {
	t.Parallel()
	c := newConsole(t, scheduled())
	c.must(exitFinding, "jobs list --check -o json")
	c.says("consent_retention (paused)", "followups (late)", "instance_cleanup (interrupted)", "request_cleanup (its last run failed)")
	for _, fine := range []string{"dlq_cleanup", "dlq_retry", "cache_cleanup", "escalation_digest"} {
		if strings.Contains(c.err.String(), fine) {
			t.Errorf("%s is named: %s", fine, &c.err)
		}
		c.must(exitOK, "jobs list --check "+fine)
	}
}

func TestJobsRun_WaitsForTheResult(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConsole(t, scheduled())
		c.store.schedule.begin, c.store.schedule.takes = time.Second, 30*time.Second
		start := time.Now()
		c.must(exitOK, "jobs run dlq_cleanup cache_cleanup --yes --reason test -o jsonl")
		if took := time.Since(start); took != 31*time.Second {
			t.Errorf("it took %s", took)
		}
		c.prints(`{"jobs":[{"name":"dlq_cleanup","state":"ok","instance":"ops-1:101","duration_seconds":30,"result":"ok: 1"},` +
			`{"name":"cache_cleanup","state":"ok","result":"ran on 2 of 2 replicas"}],"dry_run":false}` + "\n")
		c.says("database     db.example:5432/chatops", "change       run 2 jobs (dlq_cleanup, cache_cleanup)")
		a := c.store.actions
		if len(a) != 1 || a[0].Reason != "test" || a[0].Result != "ok: dlq_cleanup ok, cache_cleanup ok" ||
			a[0].Filter != `{"jobs":["dlq_cleanup","cache_cleanup"],"order":"run"}` {
			t.Errorf("recorded as %+v", a)
		}
	})
}

func TestJobsRun_TellsHowItEnded(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(f *fakeStore)
		line   string
		exit   int
		took   time.Duration
		says   string
		prints string
	}{
		"a run fails": {
			func(f *fakeStore) { f.schedule.ends = map[string]string{"dlq_cleanup": "failed: the disk is full"} },
			"dlq_cleanup", exitFailed, 0, "failed: dlq_cleanup (failed: the disk is full)", `"state": "failed"`,
		},
		"a run of each process fails": {
			func(f *fakeStore) { f.schedule.ends = map[string]string{"cache_cleanup": "failed: why"} },
			"cache_cleanup", exitFailed, 0, "failed: cache_cleanup (failed: why)", `"state": "failed"`,
		},
		"nobody begins": {
			func(f *fakeStore) { f.schedule.begin = -1 },
			"dlq_cleanup cache_cleanup", exitPartial, beginTimeout,
			"not ended in time: dlq_cleanup (waiting), cache_cleanup (waiting)", `"ran on 0 of 2 replicas"`,
		},
		"it takes longer than asked for": {
			func(f *fakeStore) { f.schedule.takes = time.Hour },
			"dlq_cleanup --timeout 8s", exitPartial, 8 * time.Second, "dlq_cleanup (running)", `"instance": "ops-1:101"`,
		},
		"it takes very long": {
			func(f *fakeStore) { f.schedule.takes = time.Hour },
			"dlq_cleanup", exitPartial, beginTimeout + endTimeout, "dlq_cleanup (running)", `"state": "running"`,
		},
		"no replica runs": {
			func(f *fakeStore) { f.fleet.replicas = nil },
			"dlq_cleanup", exitOK, 0, "no replica is running", `"state": "waiting"`,
		},
		"it runs already": {func(*fakeStore) {}, "dlq_retry", exitOK, 0, "it runs once more after that", `"state": "ok"`},
		"it is paused":    {func(*fakeStore) {}, "consent_retention", exitOK, 0, "it runs once, and stays paused", `"state": "ok"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newConsole(t, scheduled())
				test.change(c.store)
				start := time.Now()
				c.must(test.exit, "jobs run --yes -o json "+test.line)
				if took := time.Since(start); took != test.took {
					t.Errorf("it took %s, want %s", took, test.took)
				}
				c.says(test.says)
				if !strings.Contains(c.out.String(), test.prints) {
					t.Errorf("it prints\n%s\nwant %s in it", &c.out, test.prints)
				}
				if len(c.store.actions) != 1 || c.store.actions[0].Result == "started" {
					t.Errorf("recorded as %+v", c.store.actions)
				}
			})
		})
	}
}

func TestJobsPauseAndResume_ChangeThePauseAndNothingElse(t *testing.T) {
	t.Parallel()
	c := newConsole(t, scheduled())
	c.must(exitOK, "jobs pause dlq_cleanup dlq_retry consent_retention --yes --reason maintenance -o json")
	c.says("note: dlq_retry runs on ops-1:101: that run goes on", "note: consent_retention is paused by ola", "pause 3 jobs")
	for _, name := range []string{"dlq_cleanup", "dlq_retry", "consent_retention"} {
		if j := c.store.job(name); !j.Paused || j.PausedBy != "ewa" || j.PausedReason != "maintenance" {
			t.Errorf("%s is %+v, want it paused by ewa", name, j)
		}
	}
	var res struct {
		Jobs []map[string]any `json:"jobs"`
	}
	if err := json.Unmarshal(c.out.Bytes(), &res); err != nil || len(res.Jobs) != 3 || res.Jobs[0]["state"] != "paused" {
		t.Errorf("it prints %s (%v)", &c.out, err)
	}
	c.must(exitOK, "jobs resume dlq_cleanup followups --yes -o json")
	c.says("note: followups is not paused", "note: dlq_cleanup is paused by ewa (maintenance)", "resume 1 job (dlq_cleanup)")
	if j := c.store.job("dlq_cleanup"); j.Paused || j.PausedBy != "" {
		t.Errorf("it is %+v, want it resumed", j)
	}
	c.must(exitOK, "jobs resume dlq_cleanup --yes -o json")
	c.prints("{\n  \"jobs\": [],\n  \"dry_run\": false\n}\n")
	if len(c.store.actions) != 2 {
		t.Errorf("%d changes are recorded, want 2", len(c.store.actions))
	}
}

func TestJobs_ChangesThatAreRefused_ChangeNothing(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"run dlq_cleanup", "pause dlq_cleanup", "resume consent_retention"} {
		c := newConsole(t, scheduled())
		before := c.store.schedule.jobs
		c.must(exitOK, "jobs "+verb+" --dry-run -o json")
		if !strings.Contains(c.out.String(), `"dry_run": true`) {
			t.Errorf("%s: %s", verb, &c.out)
		}
		c.must(exitRefused, "jobs "+verb)
		c.must(exitUsage, "jobs "+strings.Fields(verb)[0])
		c.says("name the jobs to", "chatops jobs list")
		c.must(exitNotFound, "jobs "+verb+" escalation_digest --yes")
		c.says("known are: cache_cleanup, consent_retention")
		c.profile("read_only = true\n").must(exitRefused, "jobs "+verb+" --yes")
		c.must(exitOK, "jobs "+verb+" --dry-run")
		for i := range before {
			if c.store.schedule.jobs[i] != before[i] {
				t.Errorf("%s changed %+v", verb, c.store.schedule.jobs[i])
			}
		}
		if len(c.store.actions) != 0 {
			t.Errorf("%s is recorded as %+v", verb, c.store.actions)
		}
	}
}

func TestJobs_TroubleWithTheDatabase_IsToldAndRecorded(t *testing.T) {
	t.Parallel()
	away := chatops.Errorf(chatops.CodeUnavailable, "no answer")
	for _, verb := range []string{"run dlq_cleanup", "pause dlq_cleanup", "resume consent_retention"} {
		c := newConsole(t, scheduled())
		c.store.schedule.err = away
		c.must(exitUnavailable, "jobs "+verb+" --yes")
		c.says("database db.example:5432/chatops: no answer")
		if a := c.store.actions; len(a) != 1 || a[0].Result != "error: no answer" {
			t.Errorf("%s is recorded as %+v", verb, a)
		}
		c.store.schedule.err, c.store.beginErr = nil, errors.New("no")
		c.must(exitFailed, "jobs "+verb+" --yes")
		if !c.store.job("consent_retention").Paused || !c.store.job("dlq_cleanup").Requested.IsZero() {
			t.Errorf("%s was made although it could not be recorded", verb)
		}
	}
}

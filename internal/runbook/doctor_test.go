package runbook

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/doctor"
)

// clinic is a console whose disk is as full as the test wants.
func clinic(t *testing.T) (c *console, free *atomic.Int64) {
	t.Helper()
	c = newConsole(t, newFakeFleet("ops-1:101"))
	free = new(atomic.Int64)
	free.Store(50 << 30)
	c.PatientFunc = func(_ *config.Config, p *doctor.Patient) (func(), error) {
		p.DiskFunc = func() (*doctor.Disk, error) {
			return &doctor.Disk{Folder: "/data", Free: free.Load(), Total: 100 << 30}, nil
		}
		return func() {}, nil
	}
	return c, free
}

func TestDoctor_OfAHealthyPartEndsWithNought(t *testing.T) {
	t.Parallel()
	c, _ := clinic(t)
	c.must(exitOK, "doctor --check config,disk")
}

func TestDoctor_NamesTheChecksThereAre(t *testing.T) {
	t.Parallel()
	c, _ := clinic(t)
	c.must(exitUsage, "doctor --check disc")
	c.says(`--check "disc": there is no such check`, "disk", "consent_audit")
	// Nothing would be checked, and all be well.
	c.must(exitUsage, "doctor --check disk,,queue")
	c.says(`--check "": there is no such check`)
	c.must(exitOK, "doctor --help")
	for _, name := range doctor.Names() {
		if !strings.Contains(c.out.String(), name) {
			t.Errorf("the help does not name the check %s", name)
		}
	}
}

func TestDoctor_AFindingIsToldWithCauseAndCommand(t *testing.T) {
	t.Parallel()
	c, free := clinic(t)
	free.Store(1 << 20)
	c.must(exitFinding, "doctor --check disk,config -o table")
	c.says("1 of 2 checks need you: disk (problem)")
	c.prints(`CHECK   STATE    FINDING
config  ok       the settings are sound
disk    problem  1 MiB of 100 GiB free: writes are about to be refused

what to do
disk: 1 MiB of 100 GiB free: writes are about to be refused
  cause   the file system of the database is full
  repair  df -h /data
`)
	c.must(exitFinding, "doctor --check disk -o csv")
	if !strings.Contains(c.out.String(), "df -h /data") {
		t.Errorf("CSV lacks the command: %s", &c.out)
	}
}

func TestDoctor_TheJSONIsAContract(t *testing.T) {
	t.Parallel()
	c, free := clinic(t)
	free.Store(1 << 20)
	c.must(exitFinding, "doctor --check disk,config -o json")
	var got map[string]any
	if err := json.Unmarshal(c.out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	checks, _ := got["checks"].([]any)
	if got["state"] != "problem" || got["at"] != "2026-03-10T12:00:00Z" || len(checks) != 2 {
		t.Fatalf("JSON is %s", &c.out)
	}
	sound, _ := checks[0].(map[string]any)
	ill, _ := checks[1].(map[string]any)
	for _, key := range []string{"name", "state", "text", "findings", "took_ms"} {
		if _, ok := ill[key]; !ok {
			t.Errorf("a check lacks %q: %s", key, &c.out)
		}
	}
	if list, ok := sound["findings"].([]any); !ok || len(list) != 0 {
		t.Errorf("no findings are %v, want an empty list", sound["findings"])
	}
	list, _ := ill["findings"].([]any)
	finding, _ := list[0].(map[string]any)
	for key, want := range map[string]string{"state": "problem", "cause": "the file system of the database is full", "command": "df -h /data"} {
		if finding[key] != want {
			t.Errorf("%s is %v, want %q", key, finding[key], want)
		}
	}
	c.must(exitFinding, "doctor --check disk,config -o jsonl")
	if n := strings.Count(c.out.String(), "\n"); n != 2 {
		t.Errorf("%d lines, want one for each check: %s", n, &c.out)
	}
}

func TestDoctor_WithoutADatabaseEndsWithFiveAndTellsTheRest(t *testing.T) {
	t.Parallel()
	c, _ := clinic(t)
	c.OpenStoreFunc = func(context.Context, *config.Config, *slog.Logger) (chatops.Store, error) {
		return nil, chatops.Errorf(chatops.CodeUnavailable, "connect to db.example:5432: connection refused")
	}
	c.must(exitUnavailable, "doctor")
	c.says("the database does not answer: connect to db.example:5432: connection refused")
	for _, want := range []string{"disk\tok", "queue\tunknown\tneeds the database", "database\tproblem"} {
		if !strings.Contains(c.out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, &c.out)
		}
	}
	c.must(exitOK, "doctor --check disk,config") // which need none
}

func TestDoctor_BadSettingsAreAFindingAndNotTheEnd(t *testing.T) {
	t.Parallel()
	c, _ := clinic(t)
	c.vars["PORT"], c.vars["ADMIN_API_KEY"] = "eighty", "canary-4711"
	c.must(exitFinding, "doctor --check config,disk")
	for _, want := range []string{"config\tproblem\tPORT (environment): must be a whole number", "chatops config check"} {
		if !strings.Contains(c.out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, &c.out)
		}
	}
	c.vars["DATABASE_URL"] = "mysql://x"
	c.must(exitUnavailable, "doctor")
	c.says("DATABASE_URL cannot be used")
}

func TestDoctor_ASettingThatIsSetNowhereHasNoOrigin(t *testing.T) {
	t.Parallel()
	c, _ := clinic(t)
	c.vars["MONDAY_API_KEY"] = "canary-4711"
	c.must(exitFinding, "doctor --check config")
	if !strings.Contains(c.out.String(), "MONDAY_BOARD_ID: is needed because MONDAY_API_KEY is set") {
		t.Errorf("it says\n%s", &c.out)
	}
}

func TestDoctor_CommandsWorkWhereItWorks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ line, want string }{
		{"doctor --check replicas", "chatops serve\n"},
		{"doctor --check replicas --profile prod", "chatops serve --profile prod\n"},
		{"doctor --check replicas --database-url postgres://db.example/x", "chatops serve --database-url postgres://db.example/x\n"},
		{"doctor --check replicas --database-url postgres://app:" + dbPassword + "@db/x", "chatops serve\n"},
	} {
		c, _ := clinic(t)
		c.store.fleet.replicas = nil
		c.files["/home/op/.config/chatops/config.toml"] = "[profiles.prod]\n"
		c.must(exitFinding, tt.line)
		if !strings.Contains(c.out.String(), tt.want) {
			t.Errorf("%s: it does not say %q:\n%s", tt.line, tt.want, &c.out)
		}
	}
}

func TestDoctor_WatchShowsWhatHasChanged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, free := clinic(t)
		time.AfterFunc(3*time.Second, func() { free.Store(1 << 20) })
		time.AfterFunc(9*time.Second, func() { free.Store(50 << 30) })
		ctx, cancel := context.WithTimeout(t.Context(), 13*time.Second)
		defer cancel()
		if code := Run(ctx, c.Env, []string{"doctor", "--watch", "--check", "disk,config", "-o", "jsonl"}); code != exitInterrupted {
			t.Fatalf("exit %d: %s", code, &c.err)
		}
		var states []string
		for line := range strings.Lines(c.out.String()) {
			var v struct {
				Name  string `json:"name"`
				State string `json:"state"`
			}
			if err := json.Unmarshal([]byte(line), &v); err != nil {
				t.Fatal(err)
			}
			states = append(states, v.Name+" "+v.State)
		}
		if got := strings.Join(states, ", "); got != "config ok, disk ok, disk problem, disk ok" {
			t.Errorf("it shows %s", got)
		}
	})
}

func TestDoctor_WatchTellsWhatAStateWasBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, free := clinic(t)
		time.AfterFunc(time.Second, func() { free.Store(1 << 20) })
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if code := Run(ctx, c.Env, []string{"doctor", "--watch", "--check", "disk"}); code != exitInterrupted {
			t.Fatalf("exit %d: %s", code, &c.err)
		}
		if !strings.Contains(c.out.String(), "disk\tok -> problem\t1 MiB") {
			t.Errorf("it shows %s", &c.out)
		}
	})
}

func TestDoctor_AroundThatCannotBeOpenedIsNoEnd(t *testing.T) {
	t.Parallel()
	c, _ := clinic(t)
	c.PatientFunc = func(*config.Config, *doctor.Patient) (func(), error) { return nil, errors.New("bad address") }
	c.must(exitOK, "doctor --check config")
}

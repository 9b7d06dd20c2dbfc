package runbook

import (
	"strings"
	"testing"

	"chatops/internal/chatops"
)

func newMigrateConsole(t *testing.T, current int64) *console {
	c := newConsole(t, newFakeStore())
	c.migrator = &fakeMigrator{current: current}
	return c
}

func TestMigrateStatus_PendingIsAFinding(t *testing.T) {
	t.Parallel()
	c := newMigrateConsole(t, 1)
	c.must(exitFinding, "migrate status -o jsonl")
	c.prints(`{"current":1,"latest":2,"pending":[{"version":2,"name":"delivery"}],"applied":[{"version":1,"name":"core","applied_at":"2026-03-10T12:00:00Z"}]}` + "\n")
	c.says("chatops: the schema is at version 1 of 2: 1 pending", "chatops migrate up")
	c.must(exitFinding, "migrate status -o table")
	c.prints("VERSION  NAME      STATE    APPLIED\n      1  core      applied  2026-03-10T12:00:00Z\n      2  delivery  pending\n")
	c.migrator.current = 2
	c.must(exitOK, "migrate status -o jsonl")
	c.prints(`{"current":2,"latest":2,"pending":[],"applied":[{"version":1,"name":"core","applied_at":"2026-03-10T12:00:00Z"},{"version":2,"name":"delivery","applied_at":"2026-03-10T12:00:00Z"}]}` + "\n")
}

func TestMigrateUp_AppliesWithoutAskingAndWritesDown(t *testing.T) {
	t.Parallel()
	c := newMigrateConsole(t, 0)
	c.must(exitOK, "migrate up -o jsonl")
	c.prints(`{"dry_run":false,"current":2,"latest":2,"reverted":[],"applied":[{"version":1,"name":"core"},{"version":2,"name":"delivery"}]}` + "\n")
	c.says("change       schema, 2 migrations: apply 0001 core, apply 0002 delivery")
	if len(c.store.actions) != 1 || c.store.actions[0].Result != "ok: schema, 2 migrations: apply 0001 core, apply 0002 delivery" {
		t.Errorf("actions are %+v", c.store.actions)
	}
	c.must(exitOK, "migrate up")
	c.says("nothing to do: the schema is at version 2 of 2")
}

func TestMigrateUp_OfANewerDatabase_SaysSoInsteadOfNothingToDo(t *testing.T) {
	t.Parallel()
	c := newMigrateConsole(t, 9)
	for _, line := range []string{"migrate up", "migrate up --dry-run"} {
		c.must(exitFailed, line)
		c.says("the database's schema is at version 9, newer than this chatops, which knows up to 2")
	}
}

func TestMigrateUp_AsksInAProtectedProfileAndNeverWritesInAReadOnlyOne(t *testing.T) {
	t.Parallel()
	c := newMigrateConsole(t, 0).profile("protected = true\n")
	c.must(exitRefused, "migrate up")
	c.profile("read_only = true\n")
	c.must(exitRefused, "migrate up --yes")
	c.says("profile prod is read-only")
	if c.migrator.current != 0 {
		t.Error("the schema was changed")
	}
	c.profile("protected = true\n").terminal("prod\n")
	c.must(exitOK, "migrate up")
}

func TestMigrate_DryRunListsAndShowSQLPrints(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"migrate up --dry-run -o jsonl":   `{"dry_run":true,"current":1,"latest":2,"reverted":[],"applied":[{"version":2,"name":"delivery"}]}` + "\n",
		"migrate down --dry-run -o jsonl": `{"dry_run":true,"current":1,"latest":2,"reverted":[{"version":1,"name":"core"}],"applied":[]}` + "\n",
		"migrate redo --dry-run -o jsonl": `{"dry_run":true,"current":1,"latest":2,"reverted":[{"version":1,"name":"core"}],"applied":[{"version":1,"name":"core"},{"version":2,"name":"delivery"}]}` + "\n",
		"migrate up --dry-run --show-sql": "change\tversion\tname\nwould apply\t2\tdelivery\n\n-- 0002 delivery\n-- 2 up=true\ncreate table t2 ();\n",
	} {
		c := newMigrateConsole(t, 1)
		c.must(exitOK, line)
		c.prints(want)
		if c.migrator.current != 1 || len(c.store.actions) != 0 {
			t.Errorf("%s changed something", line)
		}
	}
}

func TestMigrateDownAndRedo_AlwaysAsk(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"migrate down", "migrate redo"} {
		c := newMigrateConsole(t, 2)
		c.must(exitRefused, line)
		if c.migrator.current != 2 {
			t.Errorf("%s changed the schema unasked", line)
		}
	}
	c := newMigrateConsole(t, 2).terminal("y\n")
	c.must(exitOK, "migrate down -o jsonl")
	c.prints(`{"dry_run":false,"current":1,"latest":2,"reverted":[{"version":2,"name":"delivery"}],"applied":[]}` + "\n")
	c.must(exitOK, "migrate redo --yes -o jsonl")
	c.prints(`{"dry_run":false,"current":2,"latest":2,"reverted":[{"version":1,"name":"core"}],"applied":[{"version":1,"name":"core"},{"version":2,"name":"delivery"}]}` + "\n")
	if len(c.store.actions) != 2 || !strings.HasPrefix(c.store.actions[1].Result, "ok: schema") {
		t.Errorf("actions are %+v", c.store.actions)
	}
}

func TestMigrateDown_IsMadeEvenWhenItCannotBeWrittenDown(t *testing.T) {
	t.Parallel()
	c := newMigrateConsole(t, 1)
	c.store.beginErr = chatops.Errorf(chatops.CodeInternal, "no such table")
	c.must(exitOK, "migrate down --yes")
	c.says("warning: this change is not written down: no such table")
	if c.migrator.current != 0 {
		t.Error("the schema was not changed")
	}
}

func TestMigrate_ErrorsOfTheDatabaseAreTold(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"migrate up", "migrate down --yes", "migrate status"} {
		c := newMigrateConsole(t, 1)
		c.migrator.err = chatops.Errorf(chatops.CodeUnavailable, "connection refused")
		c.must(exitUnavailable, line)
		c.says("database db.example:5432/chatops: connection refused")
	}
}

func TestMigrateDown_NothingAppliedIsNothingToDo(t *testing.T) {
	t.Parallel()
	c := newMigrateConsole(t, 0)
	for _, line := range []string{"migrate down", "migrate redo"} {
		c.must(exitOK, line)
		c.says("nothing to do: the schema is at version 0 of 2")
	}
}

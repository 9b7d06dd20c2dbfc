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

// anAdoption is what the older application's database of these tests becomes.
func anAdoption() *chatops.Adoption {
	return &chatops.Adoption{
		Tables: []chatops.AdoptedTable{
			{Table: "leads", From: "leads", RowsBefore: 3, Kept: 2, Archived: 1, Changed: 1, RowsAfter: 2, Reasons: []chatops.AdoptionReason{{Reason: "session_id: an earlier lead has it", Count: 1}}},
			{Table: "followup_event", From: "followup_events", RowsBefore: 4, Kept: 4, RowsAfter: 4, Reasons: []chatops.AdoptionReason{}},
		},
		Findings: []chatops.AdoptionFinding{{Kind: "table_renamed", Table: "followup_event", Count: 1, Rule: "rows of followup_events go to followup_event"}},
		Copy:     "chatbot.db.before-chatops",
	}
}

func TestMigrateUp_ReconcilesTheRowsOfAnOlderApplicationBeforeAndAfter(t *testing.T) {
	t.Parallel()
	rows := "\nrows of the older application\n" +
		"TABLE           FROM             BEFORE  KEPT  ARCHIVED  CHANGED  AFTER\n" +
		"leads           leads                 3     2         1        1      2\n" +
		"followup_event  followup_events       4     4         0        0      4\n" +
		"\narchived and changed rows (their originals are in adoption_archive)\n" +
		"TABLE  FROM   ROWS  REASON\n" +
		"leads  leads     1  session_id: an earlier lead has it\n" +
		"\nfindings and the rules that apply\n" +
		"TABLE           FINDING        COUNT  RULE\n" +
		"followup_event  table_renamed      1  rows of followup_events go to followup_event\n"
	c := newMigrateConsole(t, 1)
	c.migrator.older = anAdoption()
	c.must(exitOK, "migrate up --dry-run -o table")
	c.prints("CHANGE       VERSION  NAME\nwould apply        2  delivery\n" + rows)
	if c.migrator.current != 1 || c.migrator.done != nil {
		t.Error("the dry run took something over")
	}
	c.must(exitOK, "migrate up -o table")
	c.prints("CHANGE   VERSION  NAME\napplied        2  delivery\n" + rows)
	c.says("change       take over the older application's tables leads, followup_events; schema, 1 migration: apply 0002 delivery",
		"the database as it was before is in chatbot.db.before-chatops")
	want := "ok: took over 7 rows of 2 tables: 6 kept, 1 archived; schema, 1 migration: apply 0002 delivery"
	if len(c.store.actions) != 1 || c.store.actions[0].Result != want {
		t.Errorf("actions are %+v", c.store.actions)
	}
}

func TestMigrateUp_AdoptionAsJSONIsTheReportOfTheEndpoint(t *testing.T) {
	t.Parallel()
	c := newMigrateConsole(t, 1)
	c.migrator.older = anAdoption()
	c.must(exitOK, "migrate up -o jsonl")
	c.prints(`{"dry_run":false,"current":2,"latest":2,"reverted":[],"applied":[{"version":2,"name":"delivery"}],"adoption":{"tables":[` +
		`{"table":"leads","from":"leads","rows_before":3,"kept":2,"archived":1,"changed":1,"rows_after":2,"reasons":[{"reason":"session_id: an earlier lead has it","count":1}]},` +
		`{"table":"followup_event","from":"followup_events","rows_before":4,"kept":4,"archived":0,"changed":0,"rows_after":4,"reasons":[]}],` +
		`"findings":[{"kind":"table_renamed","table":"followup_event","count":1,"rule":"rows of followup_events go to followup_event"}],"copy":"chatbot.db.before-chatops"}}` + "\n")
}

func TestMigrate_WhatIsNotAdoptedIsNeitherPromisedNorTakenOver(t *testing.T) {
	t.Parallel()
	c := newMigrateConsole(t, 1)
	c.migrator.older = anAdoption()
	c.must(exitFinding, "migrate status")
	c.says("chatops migrate up would take over the older application's tables leads, followup_events; see what becomes of their rows with --dry-run")
	c.must(exitOK, "migrate down --dry-run")
	if strings.Contains(c.out.String(), "older application") || c.migrator.current != 1 {
		t.Errorf("down --dry-run prints\n%s", c.out.String())
	}
}

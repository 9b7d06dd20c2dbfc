package storetest

import (
	"context"
	"database/sql"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// Harness is one fresh database with all migrations applied.
type Harness struct {
	// OpenFunc opens a store on the database with now as its clock, and closes
	// it when the test ends. Each call is a handle of its own, as another
	// process would have.
	OpenFunc func(t testing.TB, now func() time.Time) chatops.Store
	// SQL reaches the database behind the store's back, as an old runbook or
	// an older writer does. Its session is in UTC. The suite sends statements
	// that both engines understand, without placeholders.
	SQL *sql.DB
}

// Run runs the suite. newFunc makes a database for each test; the tests run in
// parallel. without names groups, or cases as Group/Case, to leave out.
func Run(t *testing.T, newFunc func(t testing.TB) Harness, without ...string) {
	t.Helper()
	groups := []struct {
		name  string
		cases []testCase
	}{
		{"Conversation", conversationCases()},
		{"Lead", leadCases()},
		{"Text", textCases()},
		{"Once", onceCases()},
		{"LeadStore", leadStoreCases()},
		{"LeadList", leadListCases()},
		{"Consent", consentCases()},
		{"Withdrawal", withdrawCases()},
		{"ConsentText", consentTextCases()},
		{"ConsentSaid", saidCases()},
		{"ConsentAsked", askedCases()},
		{"Audit", auditCases()},
		{"Person", personCases()},
		{"Followup", followupCases()},
		{"Claim", claimCases()},
		{"Lane", laneCases()},
		{"Lease", leaseCases()},
		{"Record", recordCases()},
		{"Receipt", receiptCases()},
		{"Enqueue", enqueueCases()},
		{"Sweep", sweepCases()},
		{"Retention", retentionCases()},
		{"Watch", watchCases()},
		{"AlertList", alertListCases()},
		{"AlertGroup", alertGroupCases()},
		{"Cause", causeCases()},
		{"Import", importCases()},
		{"Edit", editCases()},
		{"Stats", statsCases()},
		{"Operation", operationCases()},
		{"Paced", paceCases()},
		{"Preview", previewCases()},
		{"Action", actionCases()},
		{"Control", controlCases()},
		{"Instance", instanceCases()},
		{"Probe", probeCases()},
		{"Job", jobCases()},
		{"Pool", poolCases()},
		{"Database", databaseCases()},
		{"QueueAlarm", queueAlarmCases()},
		{"History", historyCases()},
	}
	for _, g := range groups {
		if slices.Contains(without, g.name) {
			continue
		}
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range g.cases {
				if slices.Contains(without, g.name+"/"+c.name) {
					continue
				}
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					h := newFunc(t)
					e := &env{tb: t, t: t, ctx: t.Context(), harness: h, clock: newClock()}
					e.store = h.OpenFunc(t, e.clock.Now)
					c.run(e)
				})
			}
		})
	}
}

// testCase is one promise; its name is a sentence.
type testCase struct {
	name string
	run  func(e *env)
}

// env is what a case works with.
type env struct {
	tb      testing.TB      // owns what is opened
	t       rapid.TB        // is failed; a rapid check's own inside one
	ctx     context.Context //nolint:containedctx // lives exactly as long as its test
	harness Harness
	clock   *Clock
	store   chatops.Store
}

// open returns another handle on the same database and the same clock.
func (e *env) open() chatops.Store {
	e.t.Helper()
	return e.harness.OpenFunc(e.tb, e.clock.Now)
}

// must ends the test on an error.
func (e *env) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatalf("unexpected error: %v", err)
	}
}

// wantCode ends the test unless err has the code.
func (e *env) wantCode(err error, want chatops.Code) {
	e.t.Helper()
	if got := chatops.ErrorCode(err); got != want {
		e.t.Fatalf("error code %q (%v), want %q", got, err, want)
	}
}

// exec runs a statement behind the store's back and returns the rows changed.
func (e *env) exec(statement string) int64 {
	e.t.Helper()
	res, err := e.harness.SQL.ExecContext(e.ctx, statement)
	if err != nil {
		e.t.Fatalf("%s: %v", statement, err)
	}
	n, err := res.RowsAffected()
	e.must(err)
	return n
}

// count runs a query that gives one number.
func (e *env) count(query string) int64 {
	e.t.Helper()
	var n int64
	if err := e.harness.SQL.QueryRowContext(e.ctx, query).Scan(&n); err != nil {
		e.t.Fatalf("%s: %v", query, err)
	}
	return n
}

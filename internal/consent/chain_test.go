package consent

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// ledger is an audit log in memory.
type ledger struct {
	head chatops.AuditHead
	rows []chatops.AuditEntry
}

func (l *ledger) AuditHead(context.Context) (*chatops.AuditHead, error) {
	head := l.head
	return &head, nil
}

func (l *ledger) EachAuditEntry(_ context.Context, fn func(*chatops.AuditEntry) error) error {
	for _, e := range slices.Clone(l.rows) {
		if err := fn(&e); err != nil {
			return err
		}
	}
	return nil
}

// append adds a row as a store does.
func (l *ledger) append(e chatops.AuditEntry) {
	e.ID = 1
	if n := len(l.rows); n > 0 {
		e.ID = l.rows[n-1].ID + 1
	}
	Append(&l.head, &e)
	l.rows = append(l.rows, e)
}

func (l *ledger) erase(i int) {
	e := &l.rows[i]
	e.Email, e.IPAddress, e.UserAgent, e.Reason, e.Notes, e.Salt = "", "", "", "", "", nil
}

func (l *ledger) clone() *ledger { return &ledger{head: l.head, rows: slices.Clone(l.rows)} }

func entry(email string) chatops.AuditEntry {
	return chatops.AuditEntry{
		ConversationID: 7, LeadID: 9, Action: chatops.ActionUnsubscribe, At: time.UnixMicro(1_700_000_000_123_456).UTC(),
		Email: email, IPAddress: "192.0.2.1", UserAgent: "curl", Reason: "za dużo", Notes: "",
	}
}

// newLedger has before rows from before the chain, and rows in it.
func newLedger(before, rows int) *ledger {
	l := &ledger{}
	for i := range before {
		l.rows = append(l.rows, chatops.AuditEntry{ID: int64(i + 1), Email: "old@x.pl", Action: chatops.ActionRevoke})
	}
	l.head = chatops.AuditHead{Hash: Genesis(int64(before)), Sealed: int64(before)}
	for i := range rows {
		l.append(entry(fmt.Sprintf("person-%d@x.pl", i)))
	}
	return l
}

func verify(tb rapid.TB, l *ledger, anchors ...Anchor) *Report {
	tb.Helper()
	r, err := Verify(context.Background(), l, anchors...)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func TestChain_IsDefinedToTheByte(t *testing.T) {
	t.Parallel()
	e := entry("jan@x.pl")
	e.Number, e.Salt = 3, []byte("salt")
	e.Commitment = Commitment(&e)
	if got := hex.EncodeToString(e.Commitment); got != wantCommitment {
		t.Errorf("commitment %s", got)
	}
	if got := hex.EncodeToString(Hash(Genesis(12), &e)); got != wantHash {
		t.Errorf("hash %s", got)
	}
}

// Computed once by another program (hashlib, struct); stored chains depend on
// them.
const (
	wantCommitment = "5619da21fe6b917c669a325bfbe3b2d5c812b6f1822c866d7d9a5f60acb25b2e"
	wantHash       = "03789d8b83549afff754158742f75e5369e0647427b91ad0df10c6c164c35f6a"
)

func TestCommitment_DependsOnEveryPartAndItsPlace(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for name, e := range map[string]chatops.AuditEntry{
		"none": {}, "email": {Email: "a"}, "ip": {IPAddress: "a"}, "agent": {UserAgent: "a"}, "reason": {Reason: "a"},
		"notes": {Notes: "a"}, "salt": {Salt: []byte("a")}, "joined": {Email: "ab"}, "split": {Email: "a", IPAddress: "b"},
	} {
		c := string(Commitment(&e))
		if other, ok := seen[c]; ok {
			t.Errorf("%s and %s have one commitment", name, other)
		}
		seen[c] = name
	}
}

func TestVerify_OfAWholeChain_FindsNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := drawLedger(t)
		a := NewAnchor(&l.head, time.Now())
		for range rapid.IntRange(0, 3).Draw(t, "more") {
			l.append(entry("later@x.pl"))
		}
		erased := map[int]bool{}
		for _, i := range rapid.SliceOfDistinct(rapid.IntRange(0, len(l.rows)), rapid.ID).Draw(t, "erased") {
			if i < len(l.rows) && l.rows[i].Number > 0 {
				l.erase(i)
				erased[i] = true
			}
		}
		r := verify(t, l, a)
		if !r.OK() || r.Rows+r.Before != int64(len(l.rows)) || r.Erased != int64(len(erased)) || r.Head.Number != l.head.Number || r.Anchors != 1 {
			t.Fatalf("report %+v of %d rows", r, len(l.rows))
		}
	})
}

func drawLedger(t *rapid.T) *ledger {
	return newLedger(rapid.IntRange(0, 3).Draw(t, "before"), rapid.IntRange(1, 12).Draw(t, "rows"))
}

// tampering changes a ledger at row i, which is in the chain, and says what
// must be found there.
type tampering struct {
	name  string
	do    func(l *ledger, i int)
	kind  FindingKind
	shift int64 // of the finding's number against that of row i
}

var tamperings = []tampering{
	{"email", func(l *ledger, i int) { l.rows[i].Email = "other@x.pl" }, FindingData, 0},
	{"address of the client", func(l *ledger, i int) { l.rows[i].IPAddress = "" }, FindingData, 0},
	{"reason to notes", func(l *ledger, i int) { l.rows[i].Notes, l.rows[i].Reason = l.rows[i].Reason, "" }, FindingData, 0},
	{"salt", func(l *ledger, i int) { l.rows[i].Salt = NewSalt() }, FindingData, 0},
	{"action", func(l *ledger, i int) { l.rows[i].Action = "consent_granted" }, FindingRow, 0},
	{"time", func(l *ledger, i int) { l.rows[i].At = l.rows[i].At.Add(-time.Microsecond) }, FindingRow, 0},
	{"conversation", func(l *ledger, i int) { l.rows[i].ConversationID++ }, FindingRow, 0},
	{"data with a new commitment", func(l *ledger, i int) {
		l.rows[i].Email = "other@x.pl"
		l.rows[i].Commitment = Commitment(&l.rows[i])
	}, FindingRow, 0},
	{"commitment", func(l *ledger, i int) { l.rows[i].Commitment = NewSalt() }, FindingCommitment, 0},
	{"no commitment", func(l *ledger, i int) { l.rows[i].Commitment = nil }, FindingCommitment, 0},
	{"hash", func(l *ledger, i int) { l.rows[i].Hash = NewSalt() }, FindingRow, 0},
	{"half erased", func(l *ledger, i int) { l.rows[i].Salt = nil }, FindingErased, 0},
	{"duplicate", func(l *ledger, i int) {
		e := l.rows[i]
		e.ID = l.rows[len(l.rows)-1].ID + 1
		l.rows = append(l.rows, e)
	}, FindingInserted, 0},
	{"out of the chain", func(l *ledger, _ int) {
		e := entry("x@x.pl")
		e.ID = l.rows[len(l.rows)-1].ID + 1
		l.rows = append(l.rows, e)
	}, FindingOutside, -1},
}

func TestVerify_NamesWhatWasTamperedWith(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := drawLedger(t)
		i := rapid.IntRange(int(l.head.Sealed), len(l.rows)-1).Draw(t, "row")
		number, id := l.rows[i].Number, l.rows[i].ID
		x := rapid.SampledFrom(tamperings).Draw(t, "tampering")
		x.do(l, i)
		r := verify(t, l)
		if x.kind == FindingOutside {
			number, id = 0, l.rows[len(l.rows)-1].ID
		}
		if x.name == "duplicate" {
			id = l.rows[len(l.rows)-1].ID
		}
		if !slices.Contains(r.Findings, Finding{x.kind, number, number, id}) {
			t.Fatalf("%s of row %d: found %+v", x.name, number, r.Findings)
		}
		for _, f := range r.Findings { // a changed last row is not the head any more
			if f.Number != number || f.Kind != x.kind && (f.Kind != FindingHead || x.name != "hash") {
				t.Fatalf("%s of row %d: found too much: %+v", x.name, number, r.Findings)
			}
		}
	})
}

func TestVerify_NamesRowsThatAreGoneOrElsewhere(t *testing.T) {
	t.Parallel()
	l := newLedger(2, 9)
	cut := l.clone()
	cut.rows = slices.Delete(cut.rows, 2+2, 2+4) // numbers 3 and 4
	wantFindings(t, "deleted", verify(t, cut), Finding{FindingDeleted, 3, 4, 0})

	swapped := l.clone()
	a, b := &swapped.rows[2+4], &swapped.rows[2+5]
	a.ID, b.ID = b.ID, a.ID
	*a, *b = *b, *a
	wantFindings(t, "reordered", verify(t, swapped), Finding{FindingReordered, 5, 5, 8})

	tail := l.clone()
	tail.rows = tail.rows[:2+6]
	wantFindings(t, "truncated", verify(t, tail), Finding{FindingTruncated, 7, 9, 0})

	all := l.clone()
	all.rows = nil
	wantFindings(t, "emptied", verify(t, all), Finding{FindingTruncated, 1, 9, 0})

	forged := l.clone()
	e, head := entry("forged@x.pl"), forged.head
	e.ID = 12
	Append(&head, &e)
	forged.rows = append(forged.rows, e)
	wantFindings(t, "behind the head", verify(t, forged), Finding{FindingInserted, 10, 10, 0})

	head10 := l.clone()
	head10.head.Hash = NewSalt()
	wantFindings(t, "head", verify(t, head10), Finding{FindingHead, 9, 9, 11})

	hidden := l.clone() // a row passed off as older than the chain
	hidden.rows[2].Number, hidden.head.Sealed = 0, 3
	if r := verify(t, hidden); r.OK() {
		t.Error("a row was hidden among those from before the chain")
	}
	empty := newLedger(0, 0)
	empty.head.Hash = nil
	wantFindings(t, "empty", verify(t, empty), Finding{FindingHead, 0, 0, 0})
}

func wantFindings(t *testing.T, what string, r *Report, want ...Finding) {
	t.Helper()
	if !slices.Equal(r.Findings, want) || r.Total != len(want) {
		t.Errorf("%s: found %+v, want %+v", what, r.Findings, want)
	}
}

func TestVerify_WithAnAnchor_FindsWhatTheChainCannotTell(t *testing.T) {
	t.Parallel()
	l := newLedger(1, 8)
	a := NewAnchor(&l.head, time.Now())
	cut := l.clone() // whoever may write the head cuts the chain cleanly
	cut.rows = cut.rows[:1+5]
	cut.head.Number, cut.head.Hash = 5, cut.rows[5].Hash
	wantFindings(t, "without", verify(t, cut))
	wantFindings(t, "cut", verify(t, cut, a), Finding{FindingTruncated, 6, 8, 0})
	for range 5 {
		cut.append(entry("new@x.pl"))
	}
	wantFindings(t, "grown again", verify(t, cut, a), Finding{FindingAnchor, 8, 8, 9})
	l.append(entry("new@x.pl"))
	l.erase(3)
	wantFindings(t, "whole", verify(t, l, a, Anchor{Number: 0}))
}

func TestVerify_FindsEveryMixtureOfTamperings(t *testing.T) {
	t.Parallel()
	moves := append(slices.Clone(tamperings),
		tampering{name: "delete", do: func(l *ledger, i int) { l.rows = slices.Delete(l.rows, i, i+1) }},
		tampering{name: "swap", do: func(l *ledger, i int) {
			j := len(l.rows) - 1
			l.rows[i].ID, l.rows[j].ID = l.rows[j].ID, l.rows[i].ID
			l.rows[i], l.rows[j] = l.rows[j], l.rows[i]
		}})
	rapid.Check(t, func(t *rapid.T) {
		l := drawLedger(t)
		original := fmt.Sprint(l.rows)
		for range rapid.IntRange(1, 4).Draw(t, "moves") {
			if len(l.rows) > int(l.head.Sealed) {
				i := rapid.IntRange(int(l.head.Sealed), len(l.rows)-1).Draw(t, "row")
				rapid.SampledFrom(moves).Draw(t, "move").do(l, i)
			}
		}
		if fmt.Sprint(l.rows) != original && verify(t, l).OK() {
			t.Fatalf("nothing was found in %+v", l.rows)
		}
	})
}

func TestVerify_WhileRowsAreAppended_FindsNothing(t *testing.T) {
	t.Parallel()
	l := &growing{ledger: *newLedger(0, 4)}
	if r, err := Verify(t.Context(), l); err != nil || !r.OK() || r.Rows != 6 {
		t.Errorf("%+v, %v", r, err)
	}
}

// growing gets two more rows while it is read.
type growing struct{ ledger }

func (g *growing) EachAuditEntry(ctx context.Context, fn func(*chatops.AuditEntry) error) error {
	g.append(entry("a@x.pl"))
	g.append(entry("b@x.pl"))
	return g.ledger.EachAuditEntry(ctx, fn)
}

func TestVerify_OfAStoreInTrouble_GivesItsError(t *testing.T) {
	t.Parallel()
	want := errors.New("gone")
	for fail := range 3 {
		if _, err := Verify(t.Context(), &broken{fail: fail, err: want}); !errors.Is(err, want) {
			t.Errorf("call %d: %v", fail, err)
		}
	}
}

type broken struct {
	ledger
	fail, calls int
	err         error
}

func (b *broken) call() error {
	b.calls++
	if b.calls > b.fail {
		return b.err
	}
	return nil
}

func (b *broken) AuditHead(context.Context) (*chatops.AuditHead, error) { return &b.head, b.call() }

func (b *broken) EachAuditEntry(context.Context, func(*chatops.AuditEntry) error) error {
	return b.call()
}

func TestReport_CountsMoreThanItHolds(t *testing.T) {
	t.Parallel()
	l := newLedger(0, 1)
	for i := range maxFindings + 5 {
		l.rows = append(l.rows, chatops.AuditEntry{ID: int64(i + 2)})
	}
	if r := verify(t, l); len(r.Findings) != maxFindings || r.Total != maxFindings+5 {
		t.Errorf("%d findings of %d", len(r.Findings), r.Total)
	}
}

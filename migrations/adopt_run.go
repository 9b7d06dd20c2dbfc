package migrations

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// adoptionVersion is the schema that older rows are copied into. What later
// migrations change, they change in adopted databases as in any other.
const adoptionVersion = 3

// specs are the tables in the order in which their rows are judged and copied.
var specs = []*spec{&conversationSpec, &messageSpec, &leadSpec, &followupSpec, &auditSpec, &alertSpec}

// consentsSpec is a table that is read for evidence and left as it is.
var consentsSpec = spec{table: "rodo_consents"}

// executor is a connection in a transaction.
type executor interface {
	querier
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// adoption is one attempt at taking over a database.
type adoption struct {
	speech   speech
	moves    mover
	consent  bool // what a person who said nothing has agreed to
	now      time.Time
	tables   []*older
	kept     []*older // of this program's own tables, copied as they are
	consents *older   // rodo_consents, nil: there is none
	live     map[string]bool
	pending  []step // the migrations up to adoptionVersion that are not applied
	report   chatops.Adoption
	// discardFunc removes the copy that was made of the database; nil: none was.
	discardFunc func()
}

// mover knows how an engine's tables are looked up, moved and put back.
type mover interface {
	// begin starts a transaction; exclusive ones may change the database.
	begin(ctx context.Context, x executor, exclusive bool) error
	// find returns the shapes of those tables that exist, by the given name.
	// CodeConflict when one cannot be taken over.
	find(ctx context.Context, x executor, names []string) (map[string]*older, error)
	// exists returns those names that something in the schema has.
	exists(ctx context.Context, x executor, names []string) ([]string, error)
	// teach makes the conversions known.
	teach(ctx context.Context, x executor) error
	// merge makes a temporary table of the rows of two.
	merge(ctx context.Context, x executor, a, b *older) (*older, error)
	// ready prepares a temporary table for joins on the columns, if any.
	ready(ctx context.Context, x executor, table string, columns ...string) error
	// lock keeps others away from the older tables until the transaction ends.
	lock(ctx context.Context, x executor, list []*older) error
	// aside gets the older tables and what hangs on them out of the way.
	aside(ctx context.Context, x executor, list []*older) error
	// settle completes the new tables: numbers go on after the highest, and what
	// hung on the older tables hangs on the new ones.
	settle(ctx context.Context, x executor, a *adoption) error
	// drop removes the older tables.
	drop(ctx context.Context, x executor, list []*older) error
	// extra adds a column of an older table to ours.
	extra(table string, c olderColumn) []string
	// stamp renders a time.
	stamp(t time.Time) string
}

var place = chatops.Pattern(`\{(\w+)(?: ([\w.]+))?\}`)

// expand fills in the places of a statement about an older table:
//
//	{older}        what to select from    {rid}      names its row
//	{source}       the table's name       {row}      its row as JSON
//	{time column}  a column converted; so text, id, flag, whole, session, email, json
//	{given column} whether a column holds anything
//	{raw column}   a column as it is      {document expression} text as JSON
//	{fn name}      a conversion's name    {greatest}, {random} functions
//	{fence}        ends a query that must not become part of another
//	{table}, {stage} our table and its stage
//	{now}, {mode}  the time, and the consent of those who said nothing
func (a *adoption) expand(o *older, text string) string {
	if o == nil {
		o = &older{spec: &spec{}}
	}
	return place().ReplaceAllStringFunc(text, func(match string) string {
		m := place().FindStringSubmatch(match)
		switch word, name := m[1], m[2]; word {
		case "now":
			return a.moves.stamp(a.now)
		case "mode":
			return fmt.Sprint(a.consent)
		case "fn":
			return a.speech.function(name)
		case "greatest":
			return a.speech.greatest()
		case "random":
			return a.speech.random()
		case "fence":
			return a.speech.fence()
		case "document":
			return a.speech.document(name)
		case "older":
			return o.from
		case "rid":
			return "o." + o.rid
		case "source":
			return o.source
		case "row":
			return a.speech.row(o)
		case "table":
			return o.spec.table
		case "stage":
			return stageName(o.spec.table)
		case "given":
			return a.speech.given(o, name)
		default:
			return a.speech.value(o, word, name)
		}
	})
}

// run executes statements about an older table.
func (a *adoption) run(ctx context.Context, x executor, o *older, statements ...string) error {
	for _, statement := range statements {
		if _, err := x.ExecContext(ctx, a.expand(o, statement)); err != nil {
			return fmt.Errorf("%s: %w", firstLine(statement), err)
		}
	}
	return nil
}

// count executes a statement and returns how many rows it changed.
func (a *adoption) count(ctx context.Context, x executor, o *older, statement string) (int64, error) {
	res, err := x.ExecContext(ctx, a.expand(o, statement))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", firstLine(statement), err)
	}
	return res.RowsAffected()
}

func firstLine(statement string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(statement), "\n")
	return line[:min(len(line), 80)]
}

// table returns the older table whose rows become those of ours.
func (a *adoption) table(name string) *older {
	i := slices.IndexFunc(a.tables, func(o *older) bool { return o.spec.table == name })
	if i < 0 {
		return nil
	}
	return a.tables[i]
}

// judge decides in temporary tables what becomes of every row.
func (a *adoption) judge(ctx context.Context, x executor) error {
	if err := a.moves.teach(ctx, x); err != nil {
		return err
	}
	if o := a.table(conversationSpec.table); o != nil {
		if err := a.stage(ctx, x, o); err != nil {
			return err
		}
	}
	if err := a.base(ctx, x, "chat_conversations", knownFromStage, knownFromTable, knownNone, "chatops_known", "id"); err != nil {
		return err
	}
	if err := a.base(ctx, x, "chat_conversations", movedFromStage, movedNone, movedNone, "chatops_moved", "old_key"); err != nil {
		return err
	}
	if o := a.table(leadSpec.table); o != nil {
		if err := a.stage(ctx, x, o); err != nil {
			return err
		}
	}
	if err := a.base(ctx, x, "leads", knownLeadsFromStage, knownLeadsFromTable, knownLeadsNone, "chatops_known_lead", "id"); err != nil {
		return err
	}
	if err := a.base(ctx, x, "leads", movedLeadsFromStage, movedLeadsNone, movedLeadsNone, "chatops_moved_lead", "old_key"); err != nil {
		return err
	}
	for _, o := range a.tables {
		if o.spec == &conversationSpec || o.spec == &leadSpec {
			continue
		}
		if err := a.stage(ctx, x, o); err != nil {
			return err
		}
	}
	if err := a.base(ctx, x, "chat_messages", spokeFromStage, spokeNone, spokeNone, "chatops_spoke", "conversation_id"); err != nil {
		return err
	}
	if err := a.base(ctx, x, "followup_event", followedFromStage, followedNone, followedNone, "chatops_followed", "conversation_id"); err != nil {
		return err
	}
	return a.judgeConsent(ctx, x)
}

func (a *adoption) stage(ctx context.Context, x executor, o *older) error {
	if err := a.run(ctx, x, o, o.spec.stage(o)); err != nil {
		return err
	}
	return a.moves.ready(ctx, x, stageName(o.spec.table))
}

// base makes a temporary table from the stage of a table, from the table itself
// where it is ours already, or empty.
func (a *adoption) base(ctx context.Context, x executor, table, staged, live, none, name, column string) error {
	statement := none
	if a.table(table) != nil {
		statement = staged
	} else if a.live[table] {
		statement = live
	}
	if err := a.run(ctx, x, nil, statement); err != nil {
		return err
	}
	return a.moves.ready(ctx, x, name, column)
}

func (a *adoption) judgeConsent(ctx context.Context, x executor) error {
	parts := []string{a.expand(nil, evidenceNone)}
	for _, name := range []string{"chat_conversations", "leads"} {
		if o := a.table(name); o != nil {
			parts = append(parts, a.expand(o, evidenceOfStage))
		}
	}
	if a.consents != nil {
		parts = append(parts, a.expand(a.consents, evidenceOfTable))
	}
	if err := a.run(ctx, x, nil, evidenceBegin+strings.Join(parts, " union all ")+evidenceEnd); err != nil {
		return err
	}
	if err := a.moves.ready(ctx, x, "chatops_evidence", "session_id"); err != nil {
		return err
	}
	for _, name := range []string{"chat_conversations", "leads"} {
		o := a.table(name)
		if o == nil {
			continue
		}
		if err := a.run(ctx, x, o, judged); err != nil {
			return err
		}
		if err := a.moves.ready(ctx, x, "chatops_consent_"+name, "id"); err != nil {
			return err
		}
	}
	if err := a.base(ctx, x, auditSpec.table, withdrawals, withdrawalsNone, withdrawalsNone, "chatops_withdrawal", "who"); err != nil {
		return err
	}
	for _, w := range withdrawnTables {
		text := strings.NewReplacer("{table}", w.table, "{known}", w.known, "{letter}", w.letter).Replace(withdrawn)
		if err := a.run(ctx, x, nil, text); err != nil {
			return err
		}
	}
	return nil
}

// withdrawnTables are those whose rows a withdrawal is about.
var withdrawnTables = []struct{ table, known, letter string }{
	{"chat_conversations", "chatops_known", "c"},
	{"leads", "chatops_known_lead", "l"},
}

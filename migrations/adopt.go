package migrations

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// PreviewAdoption returns what Up would take over and changes nothing; nil when
// there is nothing to take over. It reads the older tables in one snapshot,
// makes temporary tables only, and keeps nobody from writing.
func (m *Migrator) PreviewAdoption(ctx context.Context) (*chatops.Adoption, error) {
	found, err := m.olderTables(ctx, m.db)
	if err != nil || len(found) == 0 {
		return nil, m.translate(err)
	}
	var a *adoption
	err = m.transaction(ctx, false, func(x executor) (bool, error) {
		a = m.newAdoption()
		if err := a.moves.begin(ctx, x, false); err != nil {
			return false, err
		}
		if found, err := a.survey(ctx, m, x); err != nil || !found {
			a = nil
			return false, err
		}
		if err := a.judge(ctx, x); err != nil {
			return false, err
		}
		return false, a.tally(ctx, x)
	})
	if err != nil || a == nil {
		return nil, m.failed("look at the older database", err)
	}
	return &a.report, nil
}

// Adopted returns what the last Up took over; nil when that was nothing.
func (m *Migrator) Adopted() *chatops.Adoption { return m.adopted }

// adopt takes over the tables of an older application, if there are any, and
// returns the migrations that it applied with it. All of it is one transaction
// under the migrators' lock.
func (m *Migrator) adopt(ctx context.Context) ([]chatops.Migration, error) {
	found, err := m.olderTables(ctx, m.db)
	if err != nil || len(found) == 0 {
		return nil, m.translate(err)
	}
	var a *adoption
	err = m.transaction(ctx, true, func(x executor) (bool, error) {
		a = m.newAdoption()
		if err := a.moves.begin(ctx, x, true); err != nil {
			return false, err
		}
		if found, err := a.survey(ctx, m, x); err != nil || !found {
			a = nil // somebody else was faster
			return false, err
		}
		return true, a.takeOver(ctx, m, x)
	})
	if err != nil {
		if a != nil && a.discardFunc != nil {
			a.discardFunc()
		}
		return nil, m.failed("take over the older database", err)
	}
	if a == nil {
		return nil, nil
	}
	m.adopted = &a.report
	var done []chatops.Migration
	for _, s := range a.pending {
		done = append(done, m.named(s.Version))
	}
	return done, nil
}

// takeOver does the work of adopt after the survey.
func (a *adoption) takeOver(ctx context.Context, m *Migrator, x executor) error {
	if m.copyFunc != nil {
		path, discard, err := m.copyFunc(ctx, m.db)
		if err != nil {
			return fmt.Errorf("copy the database: %w", err)
		}
		a.report.Copy, a.discardFunc = path, discard
	}
	if err := a.moves.lock(ctx, x, slices.Concat(a.tables, a.kept)); err != nil {
		return err
	}
	if err := a.judge(ctx, x); err != nil {
		return err
	}
	if err := a.tally(ctx, x); err != nil {
		return err
	}
	if err := a.change(ctx, x, a.pending); err != nil {
		return err
	}
	return m.engine.record(ctx, x, a.pending)
}

// transaction runs work on a connection of its own, holding the migrators' lock
// where it may change something. The work begins the transaction itself and says
// whether to commit. The connection is thrown away: its settings are changed.
func (m *Migrator) transaction(ctx context.Context, exclusive bool, work func(executor) (commit bool, err error)) error {
	conn, err := m.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		_ = conn.Close()
	}()
	if exclusive && m.dialect == Postgres {
		l := locker{dialect: m.dialect, engine: &m.engine}
		if err := l.wait(ctx, conn); err != nil {
			return err
		}
	}
	commit, err := work(conn)
	end := "commit"
	if err != nil || !commit {
		end = "rollback"
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if err != nil {
		_, _ = conn.ExecContext(late, end) // a lost connection has rolled back by itself
		return err
	}
	if _, err := conn.ExecContext(late, end); err != nil {
		return fmt.Errorf("%s: %w", end, err)
	}
	return nil
}

// failed tells what an error means for the database.
func (m *Migrator) failed(what string, err error) error {
	if err == nil {
		return nil
	}
	step := ""
	if text := err.Error(); strings.Contains(text, ": ") {
		step, _, _ = strings.Cut(text, ": ")
	}
	translated := m.translate(err)
	message := chatops.ErrorMessage(translated)
	if step != "" && !strings.HasPrefix(message, step) {
		message = step + ": " + message
	}
	return chatops.WrapError(chatops.ErrorCode(translated), err, what+": "+message+"; nothing was changed")
}

func (m *Migrator) newAdoption() *adoption {
	a := &adoption{consent: m.consent, now: m.nowFunc(), live: map[string]bool{}}
	a.report = chatops.Adoption{Tables: []chatops.AdoptedTable{}, Findings: []chatops.AdoptionFinding{}}
	if m.dialect == SQLite {
		a.speech, a.moves = sqliteSpeech{}, &sqliteMover{}
	} else {
		a.speech, a.moves = postgresSpeech{}, &postgresMover{}
	}
	return a
}

// olderTables names the tables that an adoption would take over.
func (m *Migrator) olderTables(ctx context.Context, q querier) ([]string, error) {
	applied, err := m.engine.applied(ctx, q)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, s := range specs {
		if _, done := applied[s.version]; done {
			continue
		}
		names := []string{s.table}
		if s == &followupSpec {
			names = followupNames
		}
		for _, name := range names {
			exists, err := m.engine.tableExists(ctx, q, name)
			if err != nil {
				return nil, err
			}
			if exists {
				found = append(found, name)
			}
		}
	}
	return found, nil
}

// survey finds out what there is to take over, and whether that is possible. It
// returns false when there is nothing.
func (a *adoption) survey(ctx context.Context, m *Migrator, x executor) (bool, error) {
	applied, err := m.engine.applied(ctx, x)
	if err != nil {
		return false, err
	}
	for _, k := range m.known {
		if _, done := applied[k.Version]; done || k.Version > adoptionVersion {
			continue
		}
		sql, err := m.SQL(k.Version, true)
		if err != nil {
			return false, err
		}
		a.pending = append(a.pending, step{k, sql})
	}
	var names, others []string
	for _, s := range a.pending {
		names = append(names, createdTables(s.sql)...)
		others = append(others, createdOthers(s.sql)...)
	}
	if slices.Contains(names, followupSpec.table) {
		names = append(names, followupNames[1])
	}
	found, err := a.moves.find(ctx, x, append(names, consentsSpec.table))
	if err != nil {
		return false, err
	}
	if a.consents = found[consentsSpec.table]; a.consents != nil {
		a.consents.spec = &consentsSpec
		delete(found, consentsSpec.table)
	}
	if err := a.assign(ctx, x, found); err != nil || len(a.tables) == 0 {
		return false, err
	}
	for _, name := range []string{"chat_conversations", "leads"} {
		_, a.live[name] = applied[1]
	}
	return true, a.refuse(ctx, x, others)
}

// assign gives each table that was found its spec.
func (a *adoption) assign(ctx context.Context, x executor, found map[string]*older) error {
	for _, s := range specs {
		o := found[s.table]
		delete(found, s.table)
		if s == &followupSpec {
			second := found[followupNames[1]]
			delete(found, followupNames[1])
			if o != nil && second != nil {
				o.spec, second.spec = s, s
				both, err := a.moves.merge(ctx, x, o, second)
				if err != nil {
					return fmt.Errorf("read %s and %s: %w", o.name, second.name, err)
				}
				o, second = both, nil
			}
			if second != nil {
				o = second
			}
		}
		if o != nil {
			o.spec = s
			a.tables = append(a.tables, o)
		}
	}
	for _, name := range sortedKeys(found) {
		found[name].spec = &spec{table: name}
		a.kept = append(a.kept, found[name])
	}
	return nil
}

func sortedKeys(found map[string]*older) []string {
	names := make([]string, 0, len(found))
	for name := range found {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// derivedTables are filled from others: one that exists is not of ours.
var derivedTables = []string{"dlq_lane", "dlq_lease", "dlq_count"}

// refuse reports what stands in the way: tables that are not what their names
// say, and other things with the names that ours need.
func (a *adoption) refuse(ctx context.Context, x executor, others []string) error {
	for _, o := range a.tables {
		known := 0
		for _, name := range columnsOf(a.pending, o.spec.table) {
			if _, ok := o.column(name); ok && name != "id" {
				known++
			}
		}
		if known == 0 {
			return chatops.Errorf(chatops.CodeConflict,
				"table %s has none of the columns that %s has here: give it another name, or use another database, then run again",
				o.name, o.spec.table)
		}
	}
	for _, o := range a.kept {
		missing := slices.ContainsFunc(columnsOf(a.pending, o.spec.table), func(name string) bool {
			_, ok := o.column(name)
			return !ok && !slices.Contains(generatedColumns, name)
		})
		if missing || slices.Contains(derivedTables, o.spec.table) {
			return chatops.Errorf(chatops.CodeConflict,
				"table %s is not the one that chatops needs: give it another name, or use another database, then run again", o.name)
		}
	}
	taken, err := a.moves.exists(ctx, x, others)
	if err != nil {
		return fmt.Errorf("look for names that are taken: %w", err)
	}
	if len(taken) > 0 {
		return chatops.Errorf(chatops.CodeConflict,
			"the names %s are taken by something else in the database: rename or drop that, then run again", strings.Join(taken, ", "))
	}
	return nil
}

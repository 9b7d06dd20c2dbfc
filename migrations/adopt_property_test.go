package migrations_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"pgregory.net/rapid"

	"chatops/internal/pgtest"
	"chatops/migrations"
)

// TestAdopt_RandomMixtures draws older databases and compares what becomes of
// every row with the model.
func TestAdopt_RandomMixtures(t *testing.T) {
	t.Parallel()
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		config, err := pgx.ParseConfig(pgtest.New(t))
		if err != nil {
			t.Fatal(err)
		}
		admin := sql.OpenDB(stdlib.GetConnector(*config))
		t.Cleanup(func() { _ = admin.Close() })
		n := 0
		rapid.Check(t, func(r *rapid.T) {
			n++
			schema := fmt.Sprintf("Older %d", n)
			must(r, admin, `create schema "`+schema+`"`)
			defer func() { must(r, admin, `drop schema "`+schema+`" cascade`) }()
			inside := config.Copy()
			inside.RuntimeParams["search_path"] = `"` + schema + `", public`
			own := sql.OpenDB(stdlib.GetConnector(*inside)) // lives in the server's time zone
			inside.RuntimeParams["timezone"] = "UTC"
			db := sql.OpenDB(stdlib.GetConnector(*inside))
			defer func() { _ = db.Close() }()
			checkMixture(r, drawMixture(r, migrations.Postgres), db, own)
		})
	})
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		folder, n := t.TempDir(), 0
		rapid.Check(t, func(r *rapid.T) {
			n++
			path := filepath.Join(folder, strconv.Itoa(n)+".db")
			d := sqliteDatabase(path, rapid.SampledFrom([]string{"wal", "delete"}).Draw(r, "journal"))
			db := sql.OpenDB(d.connector)
			defer func() { _ = db.Close() }()
			checkMixture(r, drawMixture(r, migrations.SQLite), db, sql.OpenDB(d.connector))
			must(r, db, "pragma wal_checkpoint(truncate)")
			if raw, err := os.ReadFile(path); err != nil || strings.Contains(string(raw), "TopSecretPart") {
				r.Errorf("the secret is in the file (%v)", err)
			}
		})
	})
}

func must(r *rapid.T, db *sql.DB, statements ...string) {
	for _, statement := range statements {
		if _, err := db.ExecContext(context.Background(), statement); err != nil {
			r.Fatalf("%v\n%s", err, statement)
		}
	}
}

func checkMixture(r *rapid.T, m *mixture, db, own *sql.DB) {
	must(r, db, m.statements()...)
	mig, err := migrations.New(own, m.dialect, migrations.Options{ImpliedConsent: m.implied, NowFunc: func() time.Time { return adoptedAt }})
	if err != nil {
		r.Fatal(err)
	}
	defer func() { _ = mig.Close() }()
	ctx := context.Background()
	preview, err := mig.PreviewAdoption(ctx)
	if err != nil {
		r.Fatalf("preview: %v", err)
	}
	if _, err := mig.Up(ctx); err != nil {
		r.Fatalf("up: %v", err)
	}
	if !reflect.DeepEqual(withoutAfter(preview), withoutAfter(mig.Adopted())) {
		r.Fatalf("preview said %+v\nadoption did %+v", preview, mig.Adopted())
	}
	want := m.model()
	adopted := false
	for _, t := range m.tables() {
		if t == m.consents {
			continue
		}
		adopted = true
		table := strings.Replace(t.name, "followup_events", "followup_event", 1)
		compareRows(r, m, db, table, t, want[t.name])
		compareReport(r, mig, t, want[t.name])
	}
	if !adopted {
		return
	}
	compareSuppressed(r, db, want)
	if m.alerts != nil {
		compareCounters(r, db)
	}
	compareSecret(r, db)
}

var adoptedAt = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func withoutAfter(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// fetch reads rows as texts, by the value of the first column.
func fetch(r *rapid.T, db *sql.DB, query string, args ...any) (map[string][]string, []string) {
	rows, err := db.QueryContext(context.Background(), query, args...)
	if err != nil {
		r.Fatalf("%v\n%s", err, query)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		r.Fatal(err)
	}
	found := map[string][]string{}
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			r.Fatal(err)
		}
		texts := make([]string, len(columns))
		for i, v := range values {
			texts[i] = shown(*v.(*any))
		}
		if _, twice := found[texts[0]]; twice {
			r.Errorf("two rows for %s: %s", texts[0], query)
		}
		found[texts[0]] = texts
	}
	if err := rows.Err(); err != nil {
		r.Fatal(err)
	}
	return found, columns
}

func shown(v any) string {
	if at, ok := v.(time.Time); ok {
		return at.UTC().Format(canonical)
	}
	return show(v)
}

// compareRows compares the rows of a table, and the archive's.
func compareRows(r *rapid.T, m *mixture, db *sql.DB, table string, t *drawnTable, want map[int]*outcome) {
	columns := []string{}
	for _, o := range want {
		columns = slices.Sorted(maps.Keys(o.values))
		if len(columns) > 0 {
			break
		}
	}
	list := ""
	for _, c := range columns {
		if c == "context_data" || c == "payload" {
			c = "cast(" + c + " as text)"
		}
		list += ", " + c
	}
	got, _ := fetch(r, db, `select tag, "Odd Column", id`+list+` from `+table)
	field := "json_extract(data, '$.tag')"
	if m.dialect == migrations.Postgres {
		field = "data ->> 'tag'"
	}
	archived, _ := fetch(r, db, `select `+field+`, row_id, reason from adoption_archive where table_name = '`+t.name+`'`)
	for tag, o := range want {
		key := strconv.Itoa(tag)
		row, kept := got[key]
		_, inArchive := archived[key]
		if kept == o.lost || inArchive != (o.lost || o.changed) {
			r.Fatalf("%s %v: kept %v, in the archive %v (%v); lost %v, changed %v were expected", t.name, o.row.sql, kept, inArchive, archived[key], o.lost, o.changed)
		}
		if !kept {
			continue
		}
		if row[1] != key || row[2] != strconv.Itoa(o.id) {
			r.Errorf("%s %v: extra column %q, id %s, want %q and %d", t.name, o.row.sql, row[1], row[2], key, o.id)
		}
		for i, c := range columns {
			if value, expected := row[i+3], o.values[c]; !same(c, value, expected) {
				r.Errorf("%s %v: %s is %q, want %q", t.name, o.row.sql, c, value, expected)
			}
		}
	}
}

// same compares a stored value with the model's.
func same(column, value, want string) bool {
	switch {
	case want == "?now":
		return value == adoptedAt.Format(canonical)
	case column == "session_id" && value != "" && want == "":
		return strings.HasPrefix(value, "adopted-") && len(value) > 24
	case column == "context_data" || column == "payload":
		return sameJSON(value, want)
	case column == "name" || column == "message":
		return value == want
	}
	return value == want
}

func sameJSON(a, b string) bool {
	if a == "" || b == "" {
		return a == b
	}
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

func compareReport(r *rapid.T, mig *migrations.Migrator, t *drawnTable, want map[int]*outcome) {
	var kept, lost, changed int64
	for _, o := range want {
		switch {
		case o.lost:
			lost++
		case o.changed:
			changed++
			kept++
		default:
			kept++
		}
	}
	for _, row := range mig.Adopted().Tables {
		if row.From == t.name && (row.RowsBefore != int64(len(want)) || row.Kept != kept || row.Archived != lost || row.Changed != changed) {
			r.Errorf("the report says %+v; %d kept, %d archived, %d changed were expected", row, kept, lost, changed)
		}
	}
}

func compareSuppressed(r *rapid.T, db *sql.DB, want model) {
	got, _ := fetch(r, db, `select email_key, scope from suppression`)
	if len(got) != len(want["suppression"]) {
		r.Errorf("suppressed are %v, want %d", got, len(want["suppression"]))
	}
	for _, o := range want["suppression"] {
		if row := got[o.values["email_key"]]; len(row) != 2 || row[1] != o.values["scope"] {
			r.Errorf("suppressed are %v, want %v", got, o.values)
		}
	}
}

// compareCounters counts the queue the slow way.
func compareCounters(r *rapid.T, db *sql.DB) {
	counted, _ := fetch(r, db, `select event_type || '/' || status, cast(sum(n) as integer) from dlq_count group by event_type, status having sum(n) <> 0`)
	held, _ := fetch(r, db, `select event_type || '/' || status, count(*) from dead_letter_queue group by event_type, status`)
	if !reflect.DeepEqual(counted, held) {
		r.Errorf("the counters say %v, the queue holds %v", counted, held)
	}
	lanes, _ := fetch(r, db, `select distinct lane from dead_letter_queue q where not exists (select 1 from dlq_lane l where l.lane = q.lane)`)
	if len(lanes) != 0 {
		r.Errorf("lanes %v are missing", lanes)
	}
}

// compareSecret looks for the webhook's address in all that is stored.
func compareSecret(r *rapid.T, db *sql.DB) {
	for table, columns := range map[string]string{
		"adoption_archive": "cast(data as text) || reason", "dead_letter_queue": "cast(payload as text) || target || coalesce(error_message, '')",
	} {
		found, _ := fetch(r, db, `select count(*) from `+table+` where `+columns+` like '%TopSecret%'`)
		if _, none := found["0"]; !none {
			r.Errorf("the webhook's address is in %s", table)
		}
	}
}

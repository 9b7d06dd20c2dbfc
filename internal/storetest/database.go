package storetest

import "time"

func databaseCases() []testCase {
	return []testCase{
		{"Database_TellsWhatItIs", databaseFacts},
	}
}

func databaseFacts(e *env) {
	got, err := e.store.Database(e.ctx)
	e.must(err)
	if got.Engine != "SQLite" && got.Engine != "PostgreSQL" || got.Version == "" || got.Version[0] < '0' || got.Version[0] > '9' {
		e.t.Fatalf("the database says it is %q %q", got.Engine, got.Version)
	}
	if got.Bytes < 10_000 || got.Bytes > 1<<30 {
		e.t.Fatalf("an empty database takes up %d bytes", got.Bytes)
	}
	if d := e.clock.Peek().Sub(got.Now); d < 0 || d > time.Second || got.Now.Location() != time.UTC {
		e.t.Fatalf("now is %v, the clock says %v", got.Now, e.clock.Peek())
	}
}

package main

import (
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver"
	"github.com/rogpeppe/go-internal/testscript"

	"chatops/internal/pgtest"
)

// TestMain lets this test binary be the program: a script that runs `chatops`
// runs this process again as main.
func TestMain(m *testing.M) {
	testscript.Main(pgtest.Wrap(m), map[string]func(){"chatops": main})
}

// TestScript_EveryCommandByItsOutsideOnly drives the real program through the
// scripts of testdata/script, each in an empty folder of its own with the
// embedded database.
func TestScript_EveryCommandByItsOutsideOnly(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Vars = append(env.Vars, "REPO="+root, "USER=ewa", "CHATOPS_ACTOR=ewa", "HOME="+env.WorkDir,
				"GORACE=atexit_sleep_ms=0") // a second after every command
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"sql": scriptSQL, "contains": scriptContains, "exits": scriptExits, "waitfor": scriptWaitFor,
		},
	})
}

// scriptSQL runs the statements of a file on an SQLite database: sql DB FILE.
func scriptSQL(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: sql database file")
	}
	db, err := sql.Open("sqlite3", "file:"+ts.MkAbs(args[0])+"?_pragma=busy_timeout(5000)")
	ts.Check(err)
	defer func() { _ = db.Close() }()
	_, err = db.Exec(unescape(ts.ReadFile(args[1])))
	ts.Check(err)
}

// scriptExits runs a program that has to end with a code: exits CODE PROGRAM...
func scriptExits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits code program [arguments]")
	}
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("run %s: %v", args[1], err)
		}
		code = exit.ExitCode()
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("%s ended with %d, want %s", strings.Join(args[1:], " "), code, args[0])
	}
}

// scriptWaitFor waits until a file has a text in it: waitfor FILE TEXT.
func scriptWaitFor(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: waitfor file text")
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); <-tick.C {
		if raw, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && strings.Contains(string(raw), args[1]) {
			return
		}
	}
	ts.Fatalf("%s has not got %q in 2 min", args[0], args[1])
}

// unescape turns the notation \x1b and \n of a script into the bytes, so that
// scripts stay readable.
func unescape(text string) string {
	return strings.NewReplacer(`\x1b`, "\x1b", `\x07`, "\x07", `\n`, "\n", `\u202e`, "\u202e", `\u200b`, "\u200b").Replace(text)
}

// scriptContains looks for bytes that a regular expression cannot name:
// [!] contains stdout|stderr|FILE TEXT.
func scriptContains(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: contains file text")
	}
	if found := strings.Contains(ts.ReadFile(args[0]), unescape(args[1])); found == neg {
		ts.Fatalf("%s contains %q: %t", args[0], args[1], found)
	}
}

package main_test

import (
	"go/ast"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Limits of section "Shape targets": a code base spoils at its tail.
const (
	fileMedian, fileP90, fileMax = 130, 350, 500
	funcP90, funcMax             = 40, 80
	testFuncMax                  = 120
	testsPerCode                 = 1.1
)

func TestShape_FilesStayShort(t *testing.T) {
	t.Parallel()
	var lengths []int
	for _, s := range sources(t) {
		if s.lines > fileMax && !s.generated {
			t.Errorf("%s has %d lines, more than %d; give a part of it a file and a name of its own",
				s.path, s.lines, fileMax)
		}
		if !s.test && !s.generated {
			lengths = append(lengths, s.lines)
		}
	}
	median, p90 := quantile(lengths, 50), quantile(lengths, 90)
	t.Logf("%d files of the program: median %d lines, p90 %d, longest %d",
		len(lengths), median, p90, quantile(lengths, 100))
	if median > fileMedian || p90 > fileP90 {
		t.Errorf("files have a median of %d lines (at most %d) and a p90 of %d (at most %d)",
			median, fileMedian, p90, fileP90)
	}
}

func TestShape_FunctionsStayShort(t *testing.T) {
	t.Parallel()
	var lengths []int
	for _, s := range sources(t) {
		limit := funcMax
		if s.test {
			limit = testFuncMax
		}
		for _, f := range functions(s) {
			n := fileSet.Position(f.End()).Line - fileSet.Position(f.Pos()).Line + 1
			if n > limit && !s.generated {
				t.Errorf("%s: %s has %d lines, more than %d; what it does in steps can be called in steps",
					s.path, f.Name.Name, n, limit)
			}
			if !s.test && !s.generated {
				lengths = append(lengths, n)
			}
		}
	}
	p90 := quantile(lengths, 90)
	t.Logf("%d functions of the program: median %d lines, p90 %d, longest %d",
		len(lengths), quantile(lengths, 50), p90, quantile(lengths, 100))
	if p90 > funcP90 {
		t.Errorf("functions have a p90 of %d lines, more than %d", p90, funcP90)
	}
}

func TestShape_TestsOutweighTheCode(t *testing.T) {
	t.Parallel()
	code, tests := 0, 0
	for _, s := range sources(t) {
		switch {
		case s.generated:
		case s.test:
			tests += s.lines
		default:
			code += s.lines
		}
	}
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range scripts {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tests += strings.Count(string(text), "\n")
	}
	t.Logf("%d lines of program, %d lines of tests: %.2f", code, tests, float64(tests)/float64(code))
	if float64(tests) < testsPerCode*float64(code) {
		t.Errorf("%d lines of tests for %d lines of program, less than %.1f to 1", tests, code, testsPerCode)
	}
}

func TestShape_EveryPackageSaysWhatItIsFor(t *testing.T) {
	t.Parallel()
	docs := make(map[string]string)
	for _, s := range sources(t) {
		if !strings.HasSuffix(s.path, "_test.go") {
			docs[s.dir] += s.syntax.Doc.Text()
		}
	}
	for dir, doc := range docs {
		if doc == "" {
			t.Errorf("%s has no package comment; doc.go says what the package is for, what it promises and "+
				"what it does not do", dir)
		}
	}
}

func TestShape_NothingHappensBeforeMain(t *testing.T) {
	t.Parallel()
	guard := make(map[string]bool)
	for _, s := range sources(t) {
		guard[s.dir] = guard[s.dir] || strings.Contains(s.syntax.Doc.Text(), "Charm guard")
	}
	for _, s := range sources(t) {
		for _, f := range functions(s) {
			if f.Name.Name == "init" && f.Recv == nil && !guard[s.dir] {
				t.Errorf("%s has an init function; work before main cannot be tested, ordered or turned off. "+
					"Only the Charm guard, a package whose comment says so, has one", s.path)
			}
		}
	}
}

func TestShape_TheProgramExitsInOnePlace(t *testing.T) {
	t.Parallel()
	var mains, exits []string
	for _, s := range product(t) {
		for range calls(s, "os", "Exit") {
			exits = append(exits, s.path)
		}
		for _, f := range functions(s) {
			if f.Name.Name == "main" && s.syntax.Name.Name == "main" {
				mains = append(mains, s.path)
			}
		}
	}
	if len(mains) > 1 {
		t.Errorf("main functions in %v, want one: chatops is one program", mains)
	}
	if !slices.Equal(exits, mains) {
		t.Errorf("os.Exit is called in %v, want one call, in the file of main, which is %v: it skips every "+
			"deferred function, so that only main may do it, after all others have returned", exits, mains)
	}
}

func TestShape_TestsDoNotSleep(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		for _, call := range calls(s, "time", "Sleep") {
			if s.test {
				t.Errorf("%s:%d sleeps; that is slow on a quick machine and flaky on a slow one. Wait for a channel "+
					"or a signal, poll with testserver.Poll, or use testing/synctest",
					s.path, fileSet.Position(call.Pos()).Line)
			}
		}
	}
}

func TestShape_BothStoresHaveTheSameMigrations(t *testing.T) {
	t.Parallel()
	postgres, sqlite := migrations(t, "postgres"), migrations(t, "sqlite")
	if !slices.Equal(postgres, sqlite) {
		t.Errorf("migrations/postgres holds %v\nmigrations/sqlite holds %v\nboth hold the same numbers and names, so that "+
			"`migrate status` means the same on either", postgres, sqlite)
	}
	for i, name := range postgres {
		if digits := strings.IndexFunc(name, func(r rune) bool { return r < '0' || r > '9' }); digits < 4 {
			t.Errorf("migration %d is called %s, want NNNN_name.sql", i+1, name)
		}
	}
}

func migrations(t *testing.T, engine string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, "migrations", engine, "*.sql"))
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, 0, len(paths))
	for _, p := range paths {
		names = append(names, filepath.Base(p))
	}
	return names
}

// quantile returns the smallest length that percent of all lengths do not
// exceed.
func quantile(lengths []int, percent int) int {
	if len(lengths) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(lengths))
	return sorted[max(0, (len(sorted)*percent+99)/100-1)]
}

func functions(s *source) []*ast.FuncDecl {
	var found []*ast.FuncDecl
	for _, d := range s.syntax.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			found = append(found, f)
		}
	}
	return found
}

// calls returns the calls of a function of a package, called by its usual name.
func calls(s *source, pkg, name string) []*ast.CallExpr {
	var found []*ast.CallExpr
	ast.Inspect(s.syntax, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if sel, ok := call.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == name {
			if id, ok := sel.X.(*ast.Ident); ok && id.Name == pkg {
				found = append(found, call)
			}
		}
		return true
	})
	return found
}

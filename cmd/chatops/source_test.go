package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	module = "chatops"
	root   = "../.."
)

// source is one Go file of the module, as the layout tests see it.
type source struct {
	path      string // from the root of the module, with slashes
	dir       string
	syntax    *ast.File
	lines     int
	test      bool // belongs to the tests: _test.go, or a package of test support
	generated bool
}

// isSupport tells the packages that exist for tests only.
func isSupport(dir string) bool {
	name := path.Base(dir)
	return name == "testserver" || (strings.HasSuffix(name, "test") && strings.HasPrefix(dir, "internal/"))
}

// imports returns the packages of this module that the file imports, as
// folders: "internal/chatops".
func (s *source) imports() []string {
	var own []string
	for _, spec := range s.syntax.Imports {
		if dir, ok := strings.CutPrefix(importPath(spec), module+"/"); ok {
			own = append(own, dir)
		}
	}
	return own
}

func importPath(spec *ast.ImportSpec) string {
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return spec.Path.Value
	}
	return p
}

var (
	fileSet = token.NewFileSet()
	load    = sync.OnceValues(loadModule)
)

// sources returns all Go files of the module; bench/ is a module of its own.
func sources(t *testing.T) []*source {
	t.Helper()
	files, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// product returns the files that go into the program, written by hand.
func product(t *testing.T) []*source {
	t.Helper()
	return slices.DeleteFunc(slices.Clone(sources(t)), func(s *source) bool { return s.test || s.generated })
}

func loadModule() ([]*source, error) {
	var files []*source
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return enter(name)
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		s, err := parse(name)
		files = append(files, s)
		return err
	})
	return files, err
}

// enter skips what the go command skips, and other modules.
func enter(dir string) error {
	if dir == root {
		return nil
	}
	base := filepath.Base(dir)
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	if err == nil || base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return filepath.SkipDir
	}
	return nil
}

func parse(name string) (*source, error) {
	syntax, err := parser.ParseFile(fileSet, name, nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	relative, err := filepath.Rel(root, name)
	if err != nil {
		return nil, err
	}
	relative = filepath.ToSlash(relative)
	dir := path.Dir(relative)
	return &source{
		path: relative, dir: dir, syntax: syntax,
		lines:     fileSet.File(syntax.FileStart).LineCount(),
		test:      strings.HasSuffix(relative, "_test.go") || isSupport(dir),
		generated: ast.IsGenerated(syntax),
	}, nil
}

package main_test

import (
	"path"
	"slices"
	"strings"
	"testing"
)

const domain = "internal/chatops"

// adapters join the domain to something outside: a database, a network, a
// person. Only cmd/chatops knows them.
var adapters = []string{
	"internal/postgres", "internal/sqlite", "internal/sender",
	"internal/server", "internal/runbook", "internal/dashboard",
}

// alsoMayImport lists what a package of internal/ may import of ours besides
// the domain and packages below itself. Each entry is a decision.
var alsoMayImport = map[string][]string{
	// A store applies its own migrations. How the audit log is chained and which
	// addresses are one mailbox are rules of consent.
	"internal/postgres": {"migrations", "internal/consent"},
	"internal/sqlite":   {"migrations", "internal/consent"},
	// Follow-ups are mailed to addresses with a link that ends them.
	"internal/followup": {"internal/consent"},
	// Flags, `config view` and `config check` are made from the settings struct;
	// `limiter set` checks a limit before anybody is asked. `consent` reads
	// addresses and verifies the audit chain by the rules. `doctor` words what the
	// checks find, and `drill` runs an installation for a drill.
	"internal/runbook": {"internal/config", "internal/ratelimit", "internal/consent", "internal/doctor", "internal/drill"},
	// A limit or an address that cannot be read stops the start, like any bad
	// setting.
	"internal/config": {"internal/ratelimit", "internal/redisclient", "internal/consent"},
	// The server counts requests against limits; the grammar and the exact
	// window are rules of their own.
	// What an address is, and what a signed link says, are rules of consent.
	"internal/server": {"internal/ratelimit", "internal/consent"},
	// A language model in trouble is left alone, call by call.
	"internal/chat": {"internal/breaker"},
	// The delivery engine drives the breakers, call by call.
	"internal/deadletter": {"internal/breaker"},
	// Every change of consent leaves a chain that verifies.
	"internal/storetest": {"internal/consent"},
	// Test support starts its servers in one way.
	"internal/pgtest":     {"internal/testserver"},
	"internal/redistest":  {"internal/testserver"},
	"internal/sendertest": {"internal/testserver"},
}

func TestLayout_DomainImportsTheStandardLibraryOnly(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.dir != domain || s.test {
			continue
		}
		for _, spec := range s.syntax.Imports {
			p := importPath(spec)
			first, _, _ := strings.Cut(p, "/")
			if strings.Contains(first, ".") || first == module {
				t.Errorf("%s imports %s\nthe domain imports the standard library only, so that every rule can be "+
					"read and tested without a database or a network; declare an interface and let an adapter fill it",
					s.path, p)
			}
		}
	}
}

func TestLayout_PackagesKnowTheDomainAndNotEachOther(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if strings.HasSuffix(s.path, "_test.go") || !strings.HasPrefix(s.dir, "internal/") {
			continue
		}
		for _, dir := range s.imports() {
			allowed := dir == domain || dir == s.dir || strings.HasPrefix(dir, s.dir+"/") ||
				slices.Contains(alsoMayImport[s.dir], dir)
			if !allowed {
				t.Errorf("%s imports %s\na package of internal/ imports the domain only; what it needs of others "+
					"it declares as an interface, and cmd/chatops joins the two. If this import is a decision, "+
					"write it down in alsoMayImport", s.path, dir)
			}
		}
	}
}

func TestLayout_AdaptersNeverMeet(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		own := slices.IndexFunc(adapters, func(a string) bool { return within(s.dir, a) })
		for _, dir := range s.imports() {
			if own < 0 || within(dir, adapters[own]) {
				continue
			}
			if slices.ContainsFunc(adapters, func(a string) bool { return within(dir, a) }) {
				t.Errorf("%s imports %s\nadapters never import each other, not even in tests, so that each can be "+
					"replaced alone; a test of two together belongs in cmd/chatops", s.path, dir)
			}
		}
	}
}

func within(dir, parent string) bool { return dir == parent || strings.HasPrefix(dir, parent+"/") }

func TestLayout_OnlyTheDashboardDrawsWithCharm(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if within(s.dir, "internal/dashboard") {
			continue
		}
		for _, spec := range s.syntax.Imports {
			if p := importPath(spec); strings.HasPrefix(p, "github.com/charmbracelet/") {
				t.Errorf("%s imports %s\nonly internal/dashboard draws with Charm: merely linking bubbletea makes "+
					"a command query the terminal, and one package is easy to guard", s.path, p)
			}
		}
	}
}

func TestLayout_TestSupportStaysOutOfTheProgram(t *testing.T) {
	t.Parallel()
	for _, s := range product(t) {
		for _, dir := range s.imports() {
			if isSupport(dir) {
				t.Errorf("%s imports %s\nthat package exists for _test.go files; the program must not carry it",
					s.path, dir)
			}
		}
	}
}

func TestLayout_PackagesAreNamedAfterWhatTheyHold(t *testing.T) {
	t.Parallel()
	vague := []string{"utils", "util", "common", "helpers", "helper", "misc", "shared", "lib", "base", "types"}
	for _, s := range sources(t) {
		if name := path.Base(s.dir); slices.Contains(vague, name) {
			t.Errorf("%s: a package called %q says nothing, and everything ends up in it", s.path, name)
		}
	}
}

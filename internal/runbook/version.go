package runbook

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Set by the linker at a release:
// -ldflags "-X chatops/internal/runbook.version=1.2.3 ...".
var (
	version = ""
	commit  = ""
	date    = ""
)

// Build says which program this is.
type Build struct {
	Version       string `json:"version"`
	Commit        string `json:"commit"` // "" when unknown
	Date          string `json:"date"`   // of the commit or build; "" when unknown
	Go            string `json:"go"`
	SchemaVersion int64  `json:"schema_version"`
}

// BuildInfo returns the version that a release was given, or what the Go tool
// knows about this build.
func BuildInfo() Build {
	b := Build{Version: version, Commit: commit, Date: date, Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	dirty := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && b.Commit == "":
			b.Commit = s.Value
		case s.Key == "vcs.time" && b.Date == "":
			b.Date = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+dirty"
		}
	}
	if commit == "" && b.Commit != "" {
		b.Commit += dirty
	}
	if b.Version == "" {
		b.Version = "dev"
		if v := info.Main.Version; v != "" && v != "(devel)" {
			b.Version = v
		}
	}
	return b
}

func buildInfo(env *Env) *Build {
	b := BuildInfo()
	if env.SchemaVersionFunc != nil {
		b.SchemaVersion = env.SchemaVersionFunc()
	}
	return &b
}

// newVersion makes `version`.
func newVersion(env *Env) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Show version, commit, date, Go and schema version", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return env.render(buildInfo(env)) },
	}
}

func (b *Build) sections(bool) []section {
	return []section{fields("version", b.Version, "commit", b.Commit, "date", b.Date, "go", b.Go, "schema_version", fmt.Sprint(b.SchemaVersion))}
}

// Version is the version of this build, "dev" when nobody gave it one.
func Version() string { return BuildInfo().Version }

// Commit is the commit of this build, "" when unknown.
func Commit() string { return BuildInfo().Commit }

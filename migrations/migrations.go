package migrations

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"chatops/internal/chatops"
)

//go:embed postgres/*.sql sqlite/*.sql
var files embed.FS

// Dialect names an engine; it is also the name of its folder.
type Dialect string

// The engines.
const (
	Postgres Dialect = "postgres"
	SQLite   Dialect = "sqlite"
)

// List returns the migrations that this binary brings, oldest first.
func List(d Dialect) ([]chatops.Migration, error) {
	names, err := fs.Glob(files, string(d)+"/*.sql")
	if err != nil || len(names) == 0 {
		return nil, chatops.Errorf(chatops.CodeInternal, "no migrations for %q", d)
	}
	var list []chatops.Migration
	for _, name := range names {
		stem := strings.TrimSuffix(path.Base(name), ".sql")
		number, _, _ := strings.Cut(stem, "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("migration %s: its name does not begin with a number", name)
		}
		list = append(list, chatops.Migration{Version: version, Name: stem})
	}
	slices.SortFunc(list, func(a, b chatops.Migration) int { return int(a.Version - b.Version) })
	return list, nil
}

// Latest returns the schema version that this binary brings; it is the same
// for every engine.
func Latest() int64 {
	list, err := List(Postgres)
	if err != nil {
		return 0
	}
	return list[len(list)-1].Version
}

// SQL returns the statements of a migration in the given direction, or
// CodeNotFound.
func SQL(d Dialect, version int64, up bool) (string, error) {
	list, err := List(d)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(list, func(m chatops.Migration) bool { return m.Version == version })
	if i < 0 {
		return "", chatops.Errorf(chatops.CodeNotFound, "migration %d does not exist, the latest is %d",
			version, list[len(list)-1].Version)
	}
	text, err := files.ReadFile(path.Join(string(d), list[i].Name+".sql"))
	if err != nil {
		return "", err
	}
	return section(string(text), up), nil
}

// section returns one direction of a migration file without the annotations.
func section(text string, up bool) string {
	var out []string
	wanted := false
	for line := range strings.Lines(text) {
		if note, ok := strings.CutPrefix(strings.TrimSpace(line), "-- +goose "); ok {
			switch note {
			case "Up":
				wanted = up
			case "Down":
				wanted = !up
			}
			continue
		}
		if wanted {
			out = append(out, line)
		}
	}
	return strings.TrimSpace(strings.Join(out, "")) + "\n"
}

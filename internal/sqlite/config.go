package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	"github.com/ncruces/go-sqlite3/vfs/memdb"

	"chatops/internal/chatops"
)

const urlForm = "a SQLite address looks like sqlite://instance/chatbot.db, sqlite:///var/lib/chatops/chatbot.db or sqlite::memory:"

// place is where a database lives: a file, or the memory of this process.
type place struct {
	path   string // absolute; empty in memory
	memory string // name of a database in memory
}

// parseURL understands sqlite://relative/path, sqlite:///absolute/path and
// sqlite::memory:, which may be followed by a name; equal names share a database.
func parseURL(address string) (place, error) {
	rest, ok := strings.CutPrefix(address, "sqlite:")
	if !ok {
		return place{}, chatops.Errorf(chatops.CodeInvalid, "database address does not begin with sqlite: %s", urlForm)
	}
	rest = strings.TrimPrefix(rest, "//")
	if name, ok := strings.CutPrefix(rest, ":memory:"); ok {
		return place{memory: "chatops" + name}, nil
	}
	if rest == "" || strings.HasSuffix(rest, "/") || strings.ContainsAny(rest, "?#\x00") {
		return place{}, chatops.Errorf(chatops.CodeInvalid, "database address %q names no file: %s", address, urlForm)
	}
	path, err := filepath.Abs(rest)
	if err != nil {
		return place{}, chatops.Errorf(chatops.CodeUnavailable, "find database file %s: %w", rest, err)
	}
	return place{path: path}, nil
}

// String names the place for messages.
func (p place) String() string {
	if p.memory != "" {
		return "database in memory"
	}
	return p.path
}

// memories remembers which databases in memory exist; they last as long as the
// process.
var memories = struct {
	sync.Mutex
	made map[string]bool
}{made: make(map[string]bool)}

// prepare makes the database's folder (0700) and file (0600) unless they exist.
func (p place) prepare() error {
	if p.memory != "" {
		memories.Lock()
		defer memories.Unlock()
		if !memories.made[p.memory] {
			memdb.Create(p.memory, nil)
			memories.made[p.memory] = true
		}
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(p.path), 0o700); err != nil {
		return chatops.Errorf(chatops.CodeUnavailable, "make folder for database file: %w", err)
	}
	f, err := os.OpenFile(p.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return chatops.Errorf(chatops.CodeUnavailable, "make database file: %w", err)
	}
	return f.Close()
}

// fullBelow is the free space, in bytes, under which an input or output error of
// the file is taken for a full disk.
const fullBelow = 256 << 10

// full reports whether the file's disk has no room left.
func (p place) full() bool {
	var fs syscall.Statfs_t
	if p.memory != "" || syscall.Statfs(filepath.Dir(p.path), &fs) != nil {
		return false
	}
	//nolint:gosec,unconvert // the fields have other types on other systems; none is negative
	return uint64(fs.Bavail)*uint64(fs.Bsize) < fullBelow
}

// role is what a connection is used for.
type role int

const (
	reader role = iota
	writer
	migrator
)

// open returns a pool of connections for a role.
func (p place) open(r role, conns int) (*sql.DB, error) {
	// modeof gives the write-ahead log, which holds data, the file's permissions.
	u := url.URL{Scheme: "file", OmitHost: true, Path: p.path, RawQuery: "modeof=" + escape(p.path)}
	if p.memory != "" {
		u.Path, u.RawQuery = "/"+p.memory, "vfs=memdb"
	}
	db, err := driver.Open(u.String(), func(c *sqlite3.Conn) error { return p.setUp(c, r) })
	if err != nil {
		return nil, p.translate(err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// escape renders a parameter of a file name; SQLite does not read + as a space.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// setUp configures a new connection.
func (p place) setUp(c *sqlite3.Conn, r role) error {
	pragmas := []string{
		"busy_timeout=10000", "synchronous=full", "foreign_keys=on", "trusted_schema=off",
		fmt.Sprintf("journal_size_limit=%d", 64<<20),
	}
	switch r {
	case reader:
		pragmas = append(pragmas, "query_only=on", "cache_size=-4000")
	case writer:
		pragmas = append(pragmas, "cache_size=-16000")
	case migrator:
		if err := teach(c); err != nil {
			return err
		}
	}
	for _, pragma := range pragmas {
		if err := c.Exec("pragma " + pragma); err != nil {
			return err
		}
	}
	return c.CreateFunction("chatops_fold", 1, sqlite3.DETERMINISTIC|sqlite3.INNOCUOUS,
		func(ctx sqlite3.Context, arg ...sqlite3.Value) { ctx.ResultText(strings.ToLower(arg[0].Text())) })
}

package runbook

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"os"
	"os/user"
	"time"

	"golang.org/x/term"

	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/doctor"
)

// Env is everything a command needs of the world around it. The functions are
// called only by the commands that need them.
type Env struct {
	In       io.Reader
	Out, Err io.Writer
	// InTTY, OutTTY and ErrTTY say which of the three are terminals.
	InTTY, OutTTY, ErrTTY bool
	Width                 int    // columns of the terminal; 0: unknown or none
	Actor, Host           string // who is at work, and where, for operator actions

	NowFunc       func() time.Time
	LookupEnvFunc func(name string) (string, bool)
	ReadFileFunc  func(path string) ([]byte, error)

	// OpenStoreFunc opens the configured store without changing its schema.
	// CodeUnavailable when it cannot be reached.
	OpenStoreFunc func(ctx context.Context, cfg *config.Config, log *slog.Logger) (chatops.Store, error)
	// OpenMigratorFunc opens the schema of the configured database, creating
	// an SQLite file that does not exist.
	OpenMigratorFunc func(ctx context.Context, cfg *config.Config, log *slog.Logger) (chatops.Migrator, error)
	// ServeFunc runs the service until the context ends, drains, and returns
	// nil when all went well. reload reads the settings again, from wherever
	// the command's came from.
	ServeFunc func(ctx context.Context, cfg *config.Config, reload ReloadFunc, log *slog.Logger) error
	// DeliverFunc runs the delivery engine on a store until the context ends,
	// lets the attempts in flight finish, and returns nil.
	DeliverFunc func(ctx context.Context, cfg *config.Config, log *slog.Logger, store chatops.Store) error
	// CarryFunc carries one paced operation and delivers its alerts until the
	// context ends, gives it up for others to carry, and returns nil.
	CarryFunc func(ctx context.Context, cfg *config.Config, log *slog.Logger, store chatops.Store, id string) error
	// CheckKnowledgeFunc looks for mistakes in the knowledge base of a folder, "" for
	// the embedded one. CodeNotFound without the folder, CodeInvalid, with file and
	// line, for a file that cannot be read.
	CheckKnowledgeFunc func(dir string) ([]KnowledgeFinding, error)
	// AskKnowledgeFunc answers one message from such a folder, and says why. Errors
	// as CheckKnowledgeFunc, and CodeInvalid for a knowledge base that `serve` would
	// refuse.
	AskKnowledgeFunc func(dir, text string) (*KnowledgeAnswer, error)
	// OpenChatFunc starts a conversation with the bot that nobody stores.
	OpenChatFunc func(cfg *config.Config) (ChatSession, error)
	// DashboardFunc shows a dashboard until it is left or the context ends.
	DashboardFunc func(ctx context.Context, d *Dashboard) error
	// LookFunc asks a dashboard's sources once, or a record. Those that do not
	// answer are named in what it returns; replayed is nil where nothing is.
	LookFunc func(ctx context.Context, d *Dashboard) (s *chatops.Situation, replayed *Replayed, err error)
	// PatientFunc adds to an examination what is outside the database: Redis, the
	// disk, the integrations that are configured and what else the settings say.
	// release frees them; with an error it may be nil, and what can be known without
	// was added all the same.
	PatientFunc func(cfg *config.Config, p *doctor.Patient) (release func(), err error)
	// ChangeFileFunc carries out statements on the SQLite database in a file,
	// behind the store's back; for drills.
	ChangeFileFunc func(ctx context.Context, file string, statements ...string) error
	// Operations is docs/operations.md, whose repairs a drill can play.
	Operations string
	// SchemaVersionFunc is the newest schema version that the program brings.
	SchemaVersionFunc func() int64

	opts  globals
	flags map[string]string // settings given as flags, by the flag's name
	args  []string
	input *bufio.Reader // of In, made at the first question
	// personal: the command line is about a person, whose address is masked in
	// whatever is written down about it.
	personal bool
	loaded   *config.Loaded
	serving  bool // the command treats a cancelled context as its normal end
	watched  bool // a dashboard shows what the command says
}

// ReloadFunc reads the settings again. CodeInvalid, as at the start, when they
// have become bad.
type ReloadFunc func() (*config.Config, error)

// NewEnv makes an Env of the process's own streams, clock and variables. The
// caller adds the functions that open things.
func NewEnv() *Env {
	e := &Env{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTTY: isTerminal(os.Stdin), OutTTY: isTerminal(os.Stdout), ErrTTY: isTerminal(os.Stderr),
		NowFunc: time.Now, LookupEnvFunc: os.LookupEnv, ReadFileFunc: os.ReadFile,
	}
	for _, f := range []*os.File{os.Stdout, os.Stderr} {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && e.Width == 0 {
			e.Width = width
		}
	}
	e.Actor = actor(os.Getenv)
	e.Host, _ = os.Hostname()
	return e
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// actor is who typed the command: the person behind sudo where there is one.
func actor(getenv func(string) string) string {
	for _, name := range []string{"CHATOPS_ACTOR", "SUDO_USER", "USER", "LOGNAME"} {
		if who := getenv(name); who != "" {
			return who
		}
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}

// getenv returns a variable, "" when it is unset.
func (e *Env) getenv(name string) string {
	value, _ := e.LookupEnvFunc(name)
	return value
}

// settings loads the configuration at the first call.
func (e *Env) settings() (*config.Config, error) {
	if e.loaded != nil {
		return e.loaded.Config, nil
	}
	e.noteForDrill()
	l, err := config.Load(e.sources())
	if err != nil {
		return nil, hint(err, "every setting and where it comes from: chatops config view --show-origin")
	}
	e.loaded = l
	for _, w := range l.Warnings {
		e.notef("warning: %s", w)
	}
	return l.Config, nil
}

func (e *Env) sources() config.Sources {
	return config.Sources{
		Flags: e.flags, ConfigPath: e.opts.configPath, Profile: e.opts.profile,
		LookupEnvFunc: e.LookupEnvFunc, ReadFileFunc: e.ReadFileFunc,
	}
}

// logger is the log of a command: warnings, or everything with -v.
func (e *Env) logger() *slog.Logger {
	level := slog.LevelWarn
	if e.opts.verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(e.Err, &slog.HandlerOptions{Level: level}))
}

// timeout bounds a context by --timeout, or by the command's own default; 0 is
// no bound.
func (e *Env) timeout(ctx context.Context, ordinary time.Duration) (context.Context, context.CancelFunc) {
	limit := ordinary
	if e.opts.timeout > 0 {
		limit = e.opts.timeout
	}
	if limit <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, limit)
}

// readTimeout bounds a command that only looks.
const readTimeout = 30 * time.Second

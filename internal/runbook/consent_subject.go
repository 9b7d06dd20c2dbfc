package runbook

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/consent"
)

// subject is the person that a command is about.
type subject struct {
	key    string // the normalised address
	masked string // as it is shown
	digest string // as it is written down
}

// whose is how a command learns whom it is about: what the consent commands
// share.
type whose struct{ stdin bool }

// stdinHelp is the part of every such command's help about the address.
const stdinHelp = "An address among the arguments can be seen in the list of processes and stays in the\n" +
	"shell's history; --stdin reads it from standard input."

func (w *whose) register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&w.stdin, "stdin", false, "read the address from standard input, one line")
	cmd.ValidArgsFunction = cobra.NoFileCompletions
}

// address reads the address and makes it harmless for the record: from here on
// whatever is written down has addresses masked.
func (w *whose) address(ctx context.Context, env *Env, args []string) (string, error) {
	env.personal = true
	switch {
	case w.stdin && len(args) > 0:
		return "", chatops.Errorf(chatops.CodeUsage, "give the address as an argument or with --stdin, not both")
	case !w.stdin && len(args) != 1:
		return "", hint(chatops.Errorf(chatops.CodeUsage, "whose data? give one e-mail address, got %d arguments", len(args)),
			"--stdin reads it from standard input, which keeps it out of the shell's history")
	}
	text := strings.Join(args, "")
	if w.stdin {
		if env.InTTY && env.ErrTTY {
			env.sayf("Address: ")
		}
		var err error
		if text, err = env.readLine(ctx); err != nil {
			return "", err
		}
	}
	a, ok := consent.ParseEmail(text)
	switch {
	case text == "":
		return "", chatops.Errorf(chatops.CodeUsage, "whose data? the address is empty")
	case !ok:
		return "", chatops.Errorf(chatops.CodeUsage, "what was given is no e-mail address: it must be like jan@firma.example")
	}
	return a.Key, nil
}

// personStore is what these commands need of a store.
type personStore interface {
	actionLog
	chatops.PersonStore
	chatops.ConsentStore
	chatops.ConsentTextStore
	Alert(ctx context.Context, id int64) (*chatops.Alert, []chatops.Attempt, error)
	Announce(ctx context.Context) error
	Close() error
}

// people is an open store with the keys that digests are made with.
type people struct {
	personStore
	cfg   *config.Config
	marks *consent.Marks
}

// openPeople opens the configured store and the consent keys. The caller closes
// it.
func (e *Env) openPeople(ctx context.Context) (*people, error) {
	ctx, cancel := e.timeout(ctx, readTimeout)
	defer cancel()
	store, cfg, err := e.openStore(ctx)
	if err != nil {
		return nil, err
	}
	p, err := newPeople(ctx, store, cfg)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return p, nil
}

// newPeople reads the consent keys for a store.
func newPeople(ctx context.Context, store chatops.Store, cfg *config.Config) (*people, error) {
	keys, err := consentKeys(ctx, cfg, store)
	if err != nil {
		return nil, unreachable(cfg, err)
	}
	marks, err := consent.NewMarks(keys)
	if err != nil {
		return nil, err
	}
	return &people{store, cfg, marks}, nil
}

// consentKeys are those of the settings, else those that the installation keeps.
func consentKeys(ctx context.Context, cfg *config.Config, store chatops.ConsentKeyStore) ([]chatops.ConsentKey, error) {
	if !cfg.ConsentKeys.IsZero() { // Load has refused what cannot be read
		return consent.ParseKeys(cfg.ConsentKeys.Reveal())
	}
	return store.StoredConsentKeys(ctx, consent.GenerateKey())
}

// subject is the person of a normalised address.
func (p *people) subject(key string) subject {
	return subject{key: key, masked: maskEmail(key), digest: p.marks.Subject(key)}
}

// access puts a look-up on record, and only then reads what is stored; nil when
// that is nothing.
func (p *people) access(ctx context.Context, env *Env, s subject, command, purpose string) (*chatops.Person, error) {
	ctx, cancel := env.timeout(ctx, readTimeout)
	defer cancel()
	if err := p.noteAccess(ctx, env, s, command, purpose); err != nil {
		return nil, err
	}
	person, err := p.Person(ctx, s.key)
	switch {
	case chatops.ErrorCode(err) == chatops.CodeNotFound:
		return nil, nil //nolint:nilnil // nothing is known
	case err != nil:
		return nil, unreachable(p.cfg, err)
	}
	return person, nil
}

// noteAccess puts a look-up on record.
func (p *people) noteAccess(ctx context.Context, env *Env, s subject, command, purpose string) error {
	err := p.LogAccess(ctx, chatops.AccessEntry{
		At: env.NowFunc().UTC(), Actor: env.Actor, Command: command, Purpose: env.masked(purpose), Subject: s.digest,
	})
	if err != nil {
		return unreachable(p.cfg, err)
	}
	return nil
}

// unknownPerson is the error of a command that needs data to be there.
func unknownPerson() error {
	return hint(chatops.Errorf(chatops.CodeNotFound, "nothing is stored about this address"), "that it was looked up is on record: chatops consent access-log")
}

// maxPurpose bounds --purpose, in characters.
const maxPurpose = 500

package runbook

import (
	"bufio"
	"context"
	"strings"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

// refuseReadOnly refuses a change in a read-only profile, whatever was
// confirmed.
func refuseReadOnly(cfg *config.Config) error {
	if !cfg.Profile.ReadOnly {
		return nil
	}
	return hint(chatops.Errorf(chatops.CodeRefused, "profile %s is read-only: nothing was changed", cfg.Profile.Name), "--dry-run shows what would be changed")
}

// settingsForChange is settings for a command that changes something: a read-only
// profile refuses it before anything is opened or asked. A dry run may go on.
func (e *Env) settingsForChange(dryRun bool) (*config.Config, error) {
	cfg, err := e.settings()
	if err == nil && !dryRun {
		err = refuseReadOnly(cfg)
	}
	return cfg, err
}

// announce tells which environment and database a change is about to touch.
func (e *Env) announce(cfg *config.Config, change string) {
	name := chatops.Harmless(cfg.Profile.Title())
	if cfg.Profile.Name != "" && cfg.Profile.Label != "" {
		name += " (profile " + cfg.Profile.Name + ")"
	}
	if e.colored(e.ErrTTY) {
		name = colorize(name, cfg.Profile.Colour)
	}
	e.sayf("environment  %s\ndatabase     %s\nchange       %s\n", name, chatops.Harmless(cfg.DatabaseURL.Host()), chatops.Harmless(change))
}

// confirm announces a change and asks for it. --yes skips the question; without
// somebody to ask it is refused. In a protected profile the answer is the
// profile's name.
func (e *Env) confirm(ctx context.Context, cfg *config.Config, change string) error {
	return e.confirmWord(ctx, cfg, change, "")
}

// confirmWord is confirm for what cannot be undone: the answer is a word, or
// the profile's name where it is protected.
func (e *Env) confirmWord(ctx context.Context, cfg *config.Config, change, word string) error {
	if err := refuseReadOnly(cfg); err != nil {
		return err
	}
	e.announce(cfg, change)
	switch {
	case e.opts.yes:
		return nil
	case e.opts.noInput || !e.InTTY || !e.ErrTTY:
		return hint(chatops.Errorf(chatops.CodeRefused, "not confirmed: nothing was changed"), "there is nobody to ask here; confirm with --yes")
	}
	if cfg.Profile.Protected {
		word = cfg.Profile.Name
	}
	question := "Continue? [y/N] "
	if word != "" {
		question = "Type " + word + " to continue: "
	}
	e.sayf("%s", question)
	answer, err := e.readLine(ctx)
	if err != nil {
		e.sayf("\n")
		return err
	}
	yes := strings.EqualFold(answer, "y") || strings.EqualFold(answer, "yes")
	if word != "" {
		yes = answer == word
	}
	if !yes {
		return chatops.Errorf(chatops.CodeRefused, "not confirmed: nothing was changed")
	}
	return nil
}

// maxAnswer bounds a typed answer; what is longer is cut.
const maxAnswer = 1024

// readLine reads one line of input, or gives up when the context ends. The end
// of the input is an empty answer. The reader is left behind then: a terminal
// cannot be asked to stop waiting, and the process is about to end.
func (e *Env) readLine(ctx context.Context) (string, error) {
	if e.input == nil {
		e.input = bufio.NewReaderSize(e.In, maxAnswer)
	}
	line, input := make(chan string, 1), e.input
	go func() {
		text, _ := input.ReadSlice('\n')
		line <- strings.TrimSpace(string(text))
	}()
	select {
	case text := <-line:
		return text, nil
	case <-ctx.Done():
		return "", chatops.Errorf(chatops.CodeInterrupted, "interrupted: nothing was changed")
	}
}

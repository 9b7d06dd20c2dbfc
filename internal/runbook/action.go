package runbook

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// actionLog is where operator actions are written down.
type actionLog interface {
	BeginAction(ctx context.Context, a *chatops.OperatorAction) error
	FinishAction(ctx context.Context, id int64, result string) error
}

// finishTimeout bounds the last line of an action, which is written even when
// the command was interrupted.
const finishTimeout = 5 * time.Second

// record writes down that a change begins, makes it, and writes down how it
// ended: on success, failure and interrupt alike. A change that cannot be
// written down is not made.
func (e *Env) record(ctx context.Context, log actionLog, filter any, change func() (string, error)) error {
	raw, err := json.Marshal(filter)
	if err != nil {
		return chatops.WrapError(chatops.CodeInternal, err, "write down the operator action")
	}
	action := &chatops.OperatorAction{
		At: e.NowFunc().UTC(), Actor: e.Actor, Host: e.Host, Command: e.typed(),
		Filter: string(raw), Reason: e.masked(e.opts.reason), Result: "started",
	}
	if err := log.BeginAction(ctx, action); err != nil {
		return err
	}
	result, err := change()
	result = "ok: " + result
	if err != nil {
		result = "error: " + e.loaded.Scrub(chatops.ErrorMessage(err))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
	defer cancel()
	if errFinish := log.FinishAction(ctx, action.ID, result); errFinish != nil {
		e.notef("warning: the end of operator action %d was not written down: %s", action.ID, chatops.ErrorMessage(errFinish))
	}
	return err
}

// typed is the command as it was typed, without secrets, and without addresses
// where it is about a person.
func (e *Env) typed() string {
	args := slices.Clone(e.args)
	for i, word := range args {
		args[i] = e.masked(word)
	}
	return commandLine(args)
}

// secretFlags are flags whose values may hold a password, or personal data.
var secretFlags = []string{"--database-url", "--redis-url", "--set"}

// urlPassword finds the user and password of an address anywhere in a word.
var urlPassword = regexp.MustCompile(`://[^/?#\s]*@`)

// commandLine is the command as it was typed, without secrets.
func commandLine(args []string) string {
	words := []string{"chatops"}
	hide := false
	for _, word := range args {
		name, _, joined := strings.Cut(word, "=")
		switch secret := isSecretFlag(name); {
		case hide:
			word, hide = "[redacted]", false
		case secret && joined:
			word = name + "=[redacted]"
		case secret:
			hide = true
		default:
			word = urlPassword.ReplaceAllString(word, "://[redacted]@")
		}
		words = append(words, quoteWord(word))
	}
	return strings.Join(words, " ")
}

func isSecretFlag(name string) bool {
	return slices.Contains(secretFlags, name)
}

// quoteWord quotes a word as a POSIX shell would need it.
func quoteWord(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:,=@+%[]") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

package runbook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

// hinted is an error with a next step for the operator.
type hinted struct {
	error
	hint string
}

func (h *hinted) Unwrap() error { return h.error }

// hint adds the next step to an error, shown in a line of its own.
func hint(err error, format string, args ...any) error {
	return &hinted{err, fmt.Sprintf(format, args...)}
}

// quiet is an error that only the exit code tells.
type quiet struct{ error }

func (q *quiet) Unwrap() error { return q.error }

// report ends a run: it shows the error and returns the exit code.
func (e *Env) report(ctx context.Context, err error) int {
	if err == nil || isClosedPipe(err) {
		return exitOK
	}
	code := chatops.ErrorCode(err)
	if ctx.Err() != nil && !e.serving && code != chatops.CodeInterrupted {
		err, code = chatops.Errorf(chatops.CodeInterrupted, "interrupted"), chatops.CodeInterrupted
	}
	if errors.Is(err, context.DeadlineExceeded) && code == chatops.CodeInternal {
		err, code = chatops.WrapError(chatops.CodeUnavailable, err, "no answer in time; a longer --timeout may help"), chatops.CodeUnavailable
	}
	if _, silent := errors.AsType[*quiet](err); !silent {
		e.showError(err, code)
	}
	if exit, ok := exitCodes[code]; ok {
		return exit
	}
	return exitFailed
}

// showError prints an error and its hint.
func (e *Env) showError(err error, code chatops.Code) {
	message := chatops.ErrorMessage(err)
	var problems *config.ProblemError
	switch {
	case errors.As(err, &problems):
		lines := strings.Split(problems.Error(), "\n")
		for _, line := range lines[:len(lines)-1] {
			e.errorLine(line)
		}
		message = lines[len(lines)-1]
	case e.opts.verbose:
		message = err.Error()
	case code == chatops.CodeInternal && message == "internal error":
		err = hint(err, "see the cause with -v")
	}
	e.errorLine(message)
	if h, ok := errors.AsType[*hinted](err); ok {
		e.notef("%s", h.hint)
	}
}

func (e *Env) errorLine(text string) {
	e.sayf("chatops: %s\n", chatops.Harmless(e.loaded.Scrub(text)))
}

// notef tells the operator something in one line on standard error. Arguments
// may hold text of any origin: it is made harmless.
func (e *Env) notef(format string, args ...any) {
	e.sayf("%s\n", chatops.Harmless(e.loaded.Scrub(fmt.Sprintf(format, args...))))
}

// sayf writes to standard error as it is. A closed one loses the text and is no
// reason to stop.
func (e *Env) sayf(format string, args ...any) { _, _ = fmt.Fprintf(e.Err, format, args...) }

// isClosedPipe reports that the reader of our output has gone, as in
// `chatops dlq list | head -1`, which is no failure.
func isClosedPipe(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe)
}

func asNotExist(err error, target **pflag.NotExistError) bool { return errors.As(err, target) }

// unwritten marks an error of writing the output.
func unwritten(err error) error {
	if coded := (*chatops.Error)(nil); err == nil || isClosedPipe(err) || errors.As(err, &coded) {
		return err
	}
	return chatops.Errorf(chatops.CodeInternal, "write the output: %w", err)
}

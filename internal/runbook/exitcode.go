package runbook

import "chatops/internal/chatops"

// The exit codes of the program.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitFinding     = 4 // a check answered no
	exitUnavailable = 5 // a dependency cannot be reached
	exitPartial     = 6
	exitRefused     = 7
	exitInterrupted = 130
)

// exitCodes is the one table from error codes to exit codes.
var exitCodes = map[chatops.Code]int{
	chatops.CodeInvalid:      exitUsage,
	chatops.CodeUnauthorized: exitRefused,
	chatops.CodeNotFound:     exitNotFound,
	chatops.CodeConflict:     exitFailed,
	chatops.CodeMismatch:     exitFailed,
	chatops.CodeTooLarge:     exitUsage,
	chatops.CodeRateLimited:  exitUnavailable,
	chatops.CodeUnavailable:  exitUnavailable,
	chatops.CodeUsage:        exitUsage,
	chatops.CodeFinding:      exitFinding,
	chatops.CodePartial:      exitPartial,
	chatops.CodeRefused:      exitRefused,
	chatops.CodeInterrupted:  exitInterrupted,
	chatops.CodeInternal:     exitFailed,
}

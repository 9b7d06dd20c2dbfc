package runbook

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manDate is fixed so that the pages change only with the commands.
const manDate = "2026-01-01"

// addManPages makes one page in section 1 for each command that help shows.
func addManPages(cmd *cobra.Command, files map[string][]byte) {
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
	files["deploy/man/"+name+".1"] = manPage(cmd, name)
	for _, sub := range cmd.Commands() {
		if visible(sub) {
			addManPages(sub, files)
		}
	}
}

// visible reports whether a command belongs into documents: not hidden, not a
// group of hidden ones, not help itself.
func visible(cmd *cobra.Command) bool {
	if cmd.Hidden || cmd.Name() == "help" {
		return false
	}
	return !cmd.HasSubCommands() || slices.ContainsFunc(cmd.Commands(), visible)
}

// manPage writes a page in the man macros of roff.
func manPage(cmd *cobra.Command, name string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, ".TH %s 1 %s chatops \"chatops manual\"\n", strings.ToUpper(name), manDate)
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(name), roff(cmd.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", roff(cmd.UseLine()))
	description := cmd.Long
	if description == "" {
		description = cmd.Short + "."
	}
	fmt.Fprintf(&b, ".SH DESCRIPTION\n.nf\n%s\n.fi\n", roff(description))
	manFlags(&b, "OPTIONS", cmd.NonInheritedFlags())
	manFlags(&b, "GLOBAL OPTIONS", cmd.InheritedFlags())
	if cmd.Example != "" {
		fmt.Fprintf(&b, ".SH EXAMPLES\n.nf\n%s\n.fi\n", roff(cmd.Example))
	}
	b.WriteString(".SH EXIT STATUS\n.nf\n" + roff(exitStatusText) + "\n.fi\n")
	var related []string
	if cmd.HasParent() {
		related = append(related, strings.ReplaceAll(cmd.Parent().CommandPath(), " ", "-"))
	}
	for _, sub := range cmd.Commands() {
		if visible(sub) {
			related = append(related, strings.ReplaceAll(sub.CommandPath(), " ", "-"))
		}
	}
	for i, page := range related {
		if i == 0 {
			b.WriteString(".SH SEE ALSO\n")
		}
		comma := ","
		if i == len(related)-1 {
			comma = ""
		}
		fmt.Fprintf(&b, ".BR %s (1)%s\n", roff(page), comma)
	}
	return b.Bytes()
}

// exitStatusText documents the exit codes.
const exitStatusText = `0    done
1    failed
2    wrong usage or settings
3    not found
4    a check answered no
5    a dependency cannot be reached
6    partly done
7    refused: a confirmation or permission is missing
130  interrupted`

func manFlags(b *bytes.Buffer, title string, flags *pflag.FlagSet) {
	first := true
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" || f.Name == "version" {
			return
		}
		if first {
			fmt.Fprintf(b, ".SH %s\n", title)
			first = false
		}
		names := "--" + f.Name
		if f.Shorthand != "" {
			names = "-" + f.Shorthand + ", " + names
		}
		value, usage := pflag.UnquoteUsage(f)
		if value != "" {
			names += " " + value
		}
		fmt.Fprintf(b, ".TP\n.B %s\n%s\n", roff(names), roff(usage))
	})
}

// roff escapes text: backslashes, dashes that must stay dashes, and dots and
// quotes that would begin a request.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

package runbook

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// drillVariable names the folder of a drill in the terminal that works on it.
const drillVariable = "CHATOPS_DRILL"

// commandsFile keeps what was typed during a drill.
const commandsFile = "commands.log"

// noteForDrill writes down, during a drill, that a command is typed which
// looks at the installation or changes it. What cannot
// be written is not missed.
func (e *Env) noteForDrill() {
	folder := e.getenv(drillVariable)
	if folder == "" {
		return
	}
	f, err := os.OpenFile(filepath.Join(folder, commandsFile), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()
	_, _ = f.WriteString(e.NowFunc().UTC().Format(time.RFC3339Nano) + " " + commandLine(e.args) + "\n")
}

// typed are the commands of a drill, and how long after the symptom the first
// came.
func (x *exercise) typed() (commands []string, detect *float64) {
	commands = []string{}
	f, err := os.Open(filepath.Join(x.rng.Folder, commandsFile))
	if err != nil {
		return commands, nil
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		stamp, command, _ := strings.Cut(lines.Text(), " ")
		if at, err := time.Parse(time.RFC3339Nano, stamp); err == nil && detect == nil {
			detect = seconds(max(at.Sub(x.told), 0))
		}
		commands = append(commands, command)
	}
	return commands, detect
}

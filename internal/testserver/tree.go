package testserver

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// descendants returns the process ids below root, nearest first.
func descendants(root int) []int {
	children := make(map[int][]int)
	for pid, parent := range parents() {
		children[parent] = append(children[parent], pid)
	}
	var found []int
	for queue := []int{root}; len(queue) > 0; queue = queue[1:] {
		below := children[queue[0]]
		found = append(found, below...)
		queue = append(queue, below...)
	}
	return found
}

// parents maps each process of the machine to its parent, from /proc where
// there is one and from ps elsewhere.
func parents() map[int]int {
	table := make(map[int]int)
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range stats {
		text, err := os.ReadFile(stat)
		if err != nil {
			continue
		}
		// pid (command, which may hold blanks and brackets) state ppid ...
		_, rest, ok := cutLast(string(text), ") ")
		fields := strings.Fields(rest)
		if !ok || len(fields) < 2 {
			continue
		}
		addParent(table, filepath.Base(filepath.Dir(stat)), fields[1])
	}
	if len(table) > 0 {
		return table
	}
	out, _ := exec.CommandContext(context.Background(), "ps", "-A", "-o", "pid=,ppid=").Output()
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); len(fields) == 2 {
			addParent(table, fields[0], fields[1])
		}
	}
	return table
}

func addParent(table map[int]int, pid, parent string) {
	child, err := strconv.Atoi(pid)
	if err != nil {
		return
	}
	if above, err := strconv.Atoi(parent); err == nil {
		table[child] = above
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

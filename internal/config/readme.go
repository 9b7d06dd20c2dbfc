package config

import (
	"fmt"
	"strings"
)

// MarkdownTable is the table of settings that README shows.
func MarkdownTable() string {
	var b strings.Builder
	b.WriteString("| variable | default | flag | expects | meaning |\n|---|---|---|---|---|\n")
	cell := strings.NewReplacer("|", "\\|", "<", "&lt;").Replace
	code := func(s string) string {
		if s == "" {
			return ""
		}
		return "`" + strings.ReplaceAll(s, "|", "\\|") + "`"
	}
	for _, f := range Fields() {
		flag := ""
		if f.Flag != "" {
			flag = "--" + f.Flag
		}
		form := f.Form
		if f.Secret {
			form += " (secret)"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", code(f.Env), code(f.Default), code(flag), cell(form), cell(f.Help))
	}
	return b.String()
}

package marked

import (
	"os"
	"strings"
)

// A Block is code that a guide shows.
type Block struct {
	Line int // of the guide, counted from 1, where the code begins
	Code []string
}

// Blocks returns the blocks of a guide that are marked with a language, with their lines as [Lines] has them.
func Blocks(guide, language string) ([]Block, error) {
	lines, err := Lines(guide)
	var blocks []Block
	open := false
	for i, line := range lines {
		switch {
		case line == "```"+language:
			blocks = append(blocks, Block{Line: i + 2})
			open = true
		case line == "```":
			open = false
		case open:
			last := &blocks[len(blocks)-1]
			last.Code = append(last.Code, line)
		}
	}
	return blocks, err
}

// Lines returns the lines of a file without indentation and with single spaces, so that gofmt's columns do not count.
func Lines(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		lines[i] = strings.Join(strings.Fields(line), " ")
	}
	return lines, err
}

// In reports whether lines show the code: as a run of them, in which a line … stands for any number.
func (b Block) In(lines []string) bool {
	for i := range lines {
		if follows(b.Code, lines[i:]) {
			return true
		}
	}
	return false
}

func follows(code, lines []string) bool {
	for i, line := range code {
		if line == "…" {
			return Block{Code: code[i+1:]}.In(lines[i:])
		}
		if i == len(lines) || line != lines[i] {
			return false
		}
	}
	return true
}

package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"time"
)

// An edit is one place in a file, whose text has a number in it.
type edit struct {
	file, text string
	last       string
	saved      time.Time // when save wrote it
}

func (e *edit) append(n int) error {
	old, err := os.ReadFile(e.file)
	if err != nil {
		return err
	}
	e.last = fmt.Sprintf(e.text, n)
	return os.WriteFile(e.file, append(old, e.last...), 0o644)
}

// insert puts the text behind a line.
func (e *edit) insert(behind string, n int) error {
	old, err := os.ReadFile(e.file)
	if err != nil {
		return err
	}
	if !bytes.Contains(old, []byte(behind)) {
		return fmt.Errorf("%s does not contain %q", e.file, behind)
	}
	e.last = fmt.Sprintf(e.text, n)
	return os.WriteFile(e.file, bytes.Replace(old, []byte(behind), []byte(behind+e.last), 1), 0o644)
}

// save writes another number, and adds how long it took until the page showed it.
func (e *edit) save(w *window, row *row, n int, shows ...string) error {
	old, err := os.ReadFile(e.file)
	if err != nil {
		return err
	}
	text := fmt.Sprintf(e.text, n)
	// Neither in step with the screen nor with any timer.
	time.Sleep(200*time.Millisecond + rand.N(200*time.Millisecond))
	e.saved = time.Now()
	if err := os.WriteFile(e.file, bytes.Replace(old, []byte(e.last), []byte(text), 1), 0o644); err != nil {
		return err
	}
	e.last = text
	at, err := w.until(shows...)
	if err != nil {
		return err
	}
	row.add(at.Sub(e.saved))
	return nil
}

package terminal

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// quiet is the light border that a QR code needs, in modules (ISO/IEC 18004
// asks for four; two do for phones, and fit into a terminal).
const quiet = 2

// QR draws text as a QR code in half blocks, two rows a line. With colour it is
// black on white, whatever the terminal's colours are; without, the light modules
// are drawn, which is right on a dark terminal and legible for most cameras on a
// light one. It fails when the text is too long, over some 2900 bytes.
func QR(text string, colour bool) (string, error) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return "", fmt.Errorf("terminal: QR code: %w", err)
	}
	var b strings.Builder
	for y := -quiet; y < code.Size+quiet; y += 2 {
		if colour {
			b.WriteString("\x1b[38;5;16;48;5;231m")
		}
		for x := -quiet; x < code.Size+quiet; x++ {
			upper, lower := code.Black(x, y), code.Black(x, y+1)
			if !colour { // what is drawn is light
				upper, lower = !upper, !lower && y+1 < code.Size+quiet
			}
			b.WriteString([]string{" ", "▀", "▄", "█"}[bit(upper)+2*bit(lower)])
		}
		if colour {
			b.WriteString("\x1b[0m")
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}

func bit(on bool) int {
	if on {
		return 1
	}
	return 0
}

// Command fails before it listens.
package main

import "log"

func main() { log.Fatal("no database") }

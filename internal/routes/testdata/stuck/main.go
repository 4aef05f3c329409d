// Command stuck never comes to listening.
package main

import "time"

func main() {
	println("waiting for the database")
	time.Sleep(time.Hour)
}

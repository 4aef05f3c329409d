package main

import "fmt"

// The data of the three pages. Both sides get the same: Go as structs, Node as the JSON of them.

type index struct {
	Title string `json:"title"`
	Site  site   `json:"site"`
	User  *user  `json:"user"`
	Cards []card `json:"cards"`
}

type site struct {
	Name  string `json:"name"`
	Style string `json:"style"`
	About string `json:"about"`
	Year  int    `json:"year"`
	Links []link `json:"links"`
}

type link struct {
	URL     string `json:"url"`
	Text    string `json:"text"`
	Current bool   `json:"current"`
}

type user struct {
	Name     string `json:"name"`
	Messages int    `json:"messages"`
}

type card struct {
	Title  string `json:"title"`
	Text   string `json:"text"`
	Author *user  `json:"author"`
}

type table struct {
	Rows []row `json:"rows"`
}

type row struct {
	ID     int     `json:"id"`
	Name   string  `json:"name"`
	Mail   string  `json:"mail"`
	City   string  `json:"city"`
	Amount float64 `json:"amount"`
	Note   string  `json:"note"`
}

type list struct {
	Items []item `json:"items"`
}

type item struct {
	ID   int    `json:"id"`
	Text string `json:"text"`
	Done bool   `json:"done"`
}

func indexData() index {
	page := index{
		Title: "The square & its people",
		Site: site{Name: "Zócalo", Style: "/style.css", About: "Where everybody meets everybody else", Year: 2026, Links: []link{
			{"/", "Home", true}, {"/about", "About", false}, {"/blog?tag=go&page=1", "Blog", false}, {"/contact", "Contact", false}, {"/login", "Log in", false},
		}},
		User: &user{"Ana", 3},
	}
	for i := range 6 {
		c := card{Title: fmt.Sprintf("Card %d", i), Text: "A text of some length that says what there is to say, with an <angle> & an ampersand."}
		if i%3 != 0 {
			c.Author = &user{Name: "Eva"}
		}
		page.Cards = append(page.Cards, c)
	}
	return page
}

func tableData(n int) (page table) {
	for i := range n {
		page.Rows = append(page.Rows, row{
			i, fmt.Sprintf("Name %d", i), fmt.Sprintf("user%d@example.com", i), "Ciudad de México", float64(i) * 1.5, "a <note> & more",
		})
	}
	return page
}

func listData(n int) (page list) {
	for i := range n {
		page.Items = append(page.Items, item{i, fmt.Sprintf("Item number %d of the list", i), i%3 == 0})
	}
	return page
}

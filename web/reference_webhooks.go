package web

import (
	"net/http"

	"courant/store/market"
)

var textWebhook = Text{"Numéro du webhook", "Number of the webhook"}

// WebhookRoutes describes the routes of webhooks, for the types of events and the words of faults that there are.
func WebhookRoutes(types, faults, outcomes []string) []Route {
	id := Parameter{Name: "id", In: "path", Text: textWebhook, Kind: KindInteger}
	delivery := Parameter{Name: "delivery", In: "path", Text: Text{"Identifiant de l’envoi", "ID of the delivery"}, Kind: KindString}
	at := func(route Route, parameters ...Parameter) Route {
		route.Access, route.Parameters = AccessAccount, parameters
		if route.Status != http.StatusNoContent {
			route.Content = "application/json"
		}
		return route
	}
	one, sent := deliveryFields(types, faults, outcomes), webhookFields(types, faults)
	request := []Field{
		word("url", textURL), list("events", textEvents, eventFields(types, true)...),
		{Name: "description", Kind: KindString, Absent: true, Text: textDescription},
	}
	return []Route{
		at(Route{
			Method: "GET", Path: PathWebhooks, Summary: Text{"Les webhooks du compte", "The webhooks of the account"},
			Body: []Field{list("webhooks", Text{"Les webhooks, du plus ancien au plus récent", "The webhooks, oldest first"}, sent...)},
		}),
		at(Route{
			Method: "POST", Path: PathWebhooks, Summary: Text{"Créer un webhook", "Create a webhook"}, Status: http.StatusCreated,
			Request: "application/json", Sent: request, Refused: []int{http.StatusBadRequest},
			Notes: []Text{{
				"Une session ou un jeton pour les webhooks donne accès à ces adresses. Chaque envoi est un POST de {type, timestamp, data}, signé selon Standard Webhooks " +
					"(webhook-id, webhook-timestamp, webhook-signature). Toute réponse de 200 à 299 dans les 10 s l’accepte ; sinon il est répété pendant 24 h, " +
					"avec le même webhook-id, puis le webhook est désactivé. 410 le désactive aussitôt.",
				"A session or a token for webhooks gives access to these addresses. Each delivery is a POST of {type, timestamp, data}, signed as Standard Webhooks describes " +
					"(webhook-id, webhook-timestamp, webhook-signature). Any answer from 200 to 299 within 10 s accepts it; otherwise it is repeated for 24 h, " +
					"with the same webhook-id, and then the webhook is disabled. 410 disables it at once.",
			}},
			Body: append(sent, word("secret", Text{"Secret de signature, donné cette seule fois", "Signing secret, given only this time"})),
		}),
		at(Route{Method: "GET", Path: PathWebhook, Summary: Text{"Un webhook", "A webhook"}, Body: sent}, id),
		at(Route{Method: "DELETE", Path: PathWebhook, Summary: Text{"Supprimer un webhook", "Delete a webhook"}, Status: http.StatusNoContent}, id),
		at(Route{
			Method: "POST", Path: PathWebhookTest, Summary: Text{"Envoyer un test, une fois", "Send a test, once"},
			Status: http.StatusAccepted, Body: one, Refused: []int{http.StatusBadRequest},
		}, id),
		at(Route{
			Method: "POST", Path: PathWebhookSecret, Summary: Text{"Remplacer le secret", "Replace the secret"},
			Notes: []Text{{
				"Pendant 24 h, les envois sont aussi signés avec l’ancien secret : webhook-signature porte alors deux signatures.",
				"For 24 h, deliveries are also signed with the old secret: webhook-signature then has two signatures.",
			}},
			Body: []Field{word("secret", Text{"Le nouveau secret, donné cette seule fois", "The new secret, given only this time"})},
		}, id),
		at(Route{Method: "POST", Path: PathWebhookEnable, Summary: Text{"Réactiver un webhook désactivé", "Enable a disabled webhook"}, Body: sent}, id),
		at(Route{
			Method: "GET", Path: PathDeliveries, Summary: Text{"Les envois d’un webhook, pendant 30 jours", "The deliveries of a webhook, for 30 days"},
			Paged: true,
			Body: []Field{
				list("deliveries", Text{"Les envois, du plus récent au plus ancien", "The deliveries, newest first"}, one...),
				nullable(word("next", Text{"Adresse de la page suivante, ou null", "Address of the next page, or null"})),
			},
		}, id,
			Parameter{Name: "limit", In: "query", Kind: KindInteger, Most: 1000, Optional: true, Text: Text{"Envois par page", "Deliveries on a page"}},
			Parameter{Name: "cursor", In: "query", Kind: KindInteger, Optional: true, Text: Text{"Page suivante, telle que « next » l’indique", "The next page, as given by “next”"}}),
		at(Route{
			Method: "POST", Path: PathResendDelivery, Summary: Text{"Renvoyer un envoi, avec le même webhook-id", "Send a delivery again, with the same webhook-id"},
			Status: http.StatusAccepted, Body: one, Refused: []int{http.StatusBadRequest},
		}, id, delivery),
	}
}

var (
	textURL         = Text{"Adresse https:// à laquelle les événements sont envoyés", "Address with https:// to which events are sent"}
	textEvents      = Text{"Les événements, 20 au plus", "The events, at most 20"}
	textDescription = Text{"Description de son usage", "Description of its purpose"}
)

// eventFields returns the members of an event of a webhook, as it is sent or as it is answered.
func eventFields(types []string, isSent bool) []Field {
	fields := []Field{
		word("type", Text{
			"Type. price.… est jugé quand une date de livraison devient entière, et de nouveau si une correction change la réponse",
			"Type. price.… is judged when a delivery date becomes complete, and again if a revision changes the answer",
		}, types...),
		datasetField,
		nullable(word("column", Text{
			"Colonne : de price.…, sans elle, le premier prix du jeu ; de rows.revised, sans elle, toutes",
			"Column: of price.…, without it, the first price of the dataset; of rows.revised, without it, all",
		})),
		nullable(Field{Name: "keys", Kind: KindMap, Text: Text{
			"Valeurs de clés, telles que {\"direction\": [\"UPWARD\"]} ; sans elles, toutes", "Values of keys, such as {\"direction\": [\"UPWARD\"]}; without them, all",
		}, Fields: []Field{{Kind: KindWords}}}),
		nullable(Field{Name: "threshold", Kind: KindNumber, Text: Text{
			"Seuil de price.below et price.above, dans l’unité de la colonne", "Threshold of price.below and price.above, in the unit of the column",
		}}),
	}
	for i := 2; i < len(fields); i++ {
		fields[i].Absent = isSent
	}
	return fields
}

func webhookFields(types, faults []string) []Field {
	return []Field{
		integer("id", "", textWebhook), word("url", textURL), list("events", textEvents, eventFields(types, false)...),
		word("description", textDescription), instant("created_at", Text{"Créé le", "Created at"}),
		nullable(instant("disabled_at", Text{"Désactivé le", "Disabled at"})),
		nullable(word("disabled_reason", Text{"Pourquoi il est désactivé", "Why it is disabled"}, faults...)),
	}
}

func deliveryFields(types, faults, outcomes []string) []Field {
	return []Field{
		word("id", Text{"Identifiant, webhook-id", "ID, webhook-id"}), word("type", Text{"Type", "Type"}, append(types, "test")...),
		nullable(word("dataset", textDataset, words(market.Datasets())...)),
		instant("created_at", Text{"Créé le", "Created at"}), word("state", Text{"État de l’envoi", "State of the delivery"}, outcomes...),
		integer("attempts", "", Text{"Tentatives", "Attempts"}),
		nullable(instant("last_attempt_at", Text{"Dernière tentative", "Newest attempt"})),
		nullable(instant("next_attempt_at", Text{"Prochaine tentative", "Next attempt"})),
		nullable(integer("status", "", Text{"Statut HTTP de la dernière réponse", "HTTP status of the newest answer"})),
		nullable(word("fault", Text{"Pourquoi la dernière tentative a échoué", "Why the newest attempt failed"}, faults...)),
	}
}

#include "server/slots.h"

void slots_init(struct slots *slots, int64_t max)
{
    *slots = (struct slots){.max = max};
    pthread_mutex_init(&slots->lock, NULL);
    list_init(&slots->places);
}

void slots_release(struct slots *slots)
{
    pthread_mutex_destroy(&slots->lock);
}

void slots_join(struct slots *slots, struct slot_place *place)
{
    *place = (struct slot_place){.held = 0};
    pthread_mutex_lock(&slots->lock);
    list_append(&slots->places, &place->node);
    pthread_mutex_unlock(&slots->lock);
}

void slots_leave(struct slots *slots, struct slot_place *place)
{
    pthread_mutex_lock(&slots->lock);
    list_remove(&place->node);
    pthread_mutex_unlock(&slots->lock);
}

int64_t slots_elsewhere(struct slots *slots, const struct slot_place *place)
{
    int64_t elsewhere = 0;
    pthread_mutex_lock(&slots->lock);
    LIST_EACH (&slots->places, node) {
        const struct slot_place *other = LIST_ITEM(node, struct slot_place, node);
        if (other != place)
            elsewhere += other->held + (other->is_waiting && other->last_start < place->last_start);
    }
    pthread_mutex_unlock(&slots->lock);
    return elsewhere;
}

void slots_tell(struct slots *slots, struct slot_place *place, int64_t held, bool is_waiting,
                bool has_started)
{
    pthread_mutex_lock(&slots->lock);
    place->held = held;
    place->is_waiting = is_waiting;
    if (has_started)
        place->last_start = ++slots->started;
    pthread_mutex_unlock(&slots->lock);
}

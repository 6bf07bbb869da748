"""Drives the dashboard of a real server in a real browser.

usage: dashboard.py WIZARD STAND_IN CHROMIUM [SCREENSHOTS]

For who works on the page: PAGE_DIR=Sources/OperationDashboard/Page shows the files there instead of those that the server was
built with, and ONLY=NAME runs the tests whose name has NAME in it.
"""

import inspect
import os
import sys
import tempfile
import time

import access
import complaints
import details
import filters
import history
import late
import liveness
import many
import operations
import page
import parts
import plots
import ports
from playwright.sync_api import sync_playwright
from support import Program, serve

STAND_IN, CHROMIUM = sys.argv[2:4]
ONLY = os.environ.get("ONLY", "")
TESTS = (
    operations.pull_pause_resume_reload_cancel,
    liveness.two_tabs_share_one_stream,
    liveness.the_first_of_two_tabs_is_closed,
    operations.parts_stand_under_their_whole,
    operations.parts_outlive_their_whole,
    operations.what_cannot_be_done_is_not_offered,
    operations.what_is_begun_again_says_so,
    page.keyboard_alone,
    page.every_view_looks_right,
    page.texts_are_never_taken_for_html,
    page.long_names_stay_in_their_cards,
    page.a_name_that_cannot_be_seen_is_none,
    page.long_texts_leave_room_for_others,
    page.a_tablet_leaves_room_for_what_happened,
    page.a_phone_shows_what_matters,
    ports.services_that_were_set_aside_are_told,
    ports.what_a_service_is_for_can_be_read,
    many.five_hundred_operations,
    many.what_is_out_of_sight_is_drawn_when_it_comes_into_view,
    history.the_history_goes_on_and_is_filtered,
    filters.filters_changed_quickly_tell_nothing_twice,
    history.an_old_run_has_its_log,
    history.what_nobody_measured_is_not_told,
    history.a_history_that_is_looked_at_goes_on,
    history.a_wish_is_told_before_it_is_followed,
    history.a_history_that_does_not_come_is_asked_for_again,
    filters.a_filter_holds_once_it_is_submitted,
    filters.a_date_can_be_typed,
    history.a_history_left_open_stays_small,
    history.events_that_do_not_come_are_asked_for_again,
    history.another_server_has_another_history,
    ports.a_conflict_is_killed_and_healed,
    ports.why_a_service_failed_can_be_read,
    ports.only_who_was_shown_is_ended,
    ports.what_the_server_itself_holds_is_not_offered,
    operations.the_queue_is_ordered_and_a_download_limited,
    operations.forms_are_checked_and_say_what_has_become_of_it,
    operations.a_form_is_sent_once_and_keeps_what_was_typed,
    operations.what_is_missing_says_why,
    parts.remaining_times_stand_still,
    operations.work_of_another_process_is_shown,
    operations.time_goes_on_in_silence,
    parts.an_address_that_leads_nowhere_shows_what_runs,
    parts.dots_differ_by_shape,
    plots.text_is_readable_at_any_width,
    plots.labels_stand_apart,
    plots.times_are_round,
    plots.lines_end_where_nothing_was_measured,
    plots.a_table_has_all_the_numbers,
    plots.a_filter_that_finds_nothing_draws_nothing,
    parts.a_sparkline_keeps_time,
    parts.plots_go_on_once_their_table_is_closed,
    parts.many_endings_are_not_asked_for,
    parts.what_went_wrong_can_be_dismissed_over_a_dialog,
    details.details_tell_what_an_estimate_rests_on,
    details.details_go_on_while_they_are_looked_at,
    details.what_happened_is_asked_for_until_it_is_told,
    parts.what_ended_under_a_question_is_told,
    parts.progress_asks_for_no_events,
    operations.overload_is_said_before_a_start,
    operations.nobody_measures_for_a_page_in_the_background,
    liveness.a_stream_that_is_not_given_again_is_told,
    liveness.a_stream_that_says_nothing_is_done_without,
    liveness.a_stream_that_is_taken_up_again_is_live,
    liveness.what_was_told_before_is_told_anew,
    liveness.a_worker_that_is_not_loaded_is_done_without,
    liveness.a_stream_that_has_gone_dumb_is_found_out,
    liveness.a_server_that_stands_still_is_told,
    liveness.without_streams_the_page_asks,
    late.what_is_done_goes_on_when_its_view_is_left,
    late.an_older_look_does_not_hide_a_newer_one,
    late.a_question_stays_with_its_view,
    details.details_are_those_asked_for_last,
    late.who_has_left_a_form_is_told_that_nothing_was_started,
    late.the_priority_chosen_last_holds,
    late.a_readers_place_is_kept,
    late.what_has_the_focus_moves_no_reader,
    filters.what_is_no_more_like_the_filter_goes,
    filters.what_was_like_the_filter_when_it_was_asked_for_does_not_come,
    late.what_was_asked_before_the_stream_is_not_told_after_it,
    late.what_is_asked_of_work_is_asked_once,
    late.a_second_click_is_not_meant_for_what_comes_there,
    details.long_details_begin_at_their_beginning,
    complaints.a_complaint_goes_when_the_server_is_back,
    complaints.a_complaint_goes_once_the_server_answers,
    complaints.what_got_no_answer_is_asked_for_again,
    complaints.what_fails_alone_is_told_once,
    details.what_is_selected_in_details_stays_so,
    complaints.a_wish_that_is_not_answered_is_told,
    page.content_policy,
    liveness.server_restarts_under_the_page,
    access.token_is_asked_for,
    access.a_token_that_was_not_checked_is_not_called_wrong,
    access.who_gives_no_token_may_do_so_later,
    access.a_server_that_asks_no_more_is_noticed,
)


def main():
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        # At 30 MB/s; what has been pulled of a model once is there for the next who pulls it.
        models = {"large": 900, "larger": 1_000_000, "keys": 12_000, "endless": 1_000_000}
        stand_in = Program([STAND_IN, *(word for name, size in models.items() for word in ("--model", f"{name}={size}"))])
        server = None
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--disable-dev-shm-usage"] + (["--no-sandbox"] if os.geteuid() == 0 else []))
        try:
            server = serve(data, stand_in)
            context = {"browser": browser, "data": data, "stand_in": stand_in}
            for test in TESTS:
                if ONLY not in test.__name__:
                    continue
                begun = time.monotonic()
                wanted = inspect.signature(test).parameters
                try:
                    server = test(**{name: value for name, value in {**context, "server": server}.items() if name in wanted}) or server
                except BaseException:
                    print(f"  FAILED: {test.__name__} ({time.monotonic() - begun:.0f} s, load {os.getloadavg()[0]:.1f})", flush=True)
                    raise
                print(f"  {test.__doc__.splitlines()[0]} ({time.monotonic() - begun:.0f} s)", flush=True)
        finally:
            browser.close()
            for program in (server, stand_in):
                if program:
                    program.stop()
    print("the dashboard holds")


main()

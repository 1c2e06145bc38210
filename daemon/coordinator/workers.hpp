#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <stop_token>
#include <utility>

namespace imageswarm::coordinator {

/// The pool for what blocks: curl, digests, unpacking, child processes.
///
/// `run` is called on the loop thread; the job runs on the pool and gets a token that says when to give up; its result
/// is handed to `then` back on the loop. After `stop` no more results come.
class Workers {
public:
  Workers(boost::asio::io_context& loop, unsigned threads) : loop_{loop}, threads_{threads}, pool_{threads} {}
  ~Workers() { stop(); }

  unsigned threads() const { return threads_; }

  /// `cancel` ends this job alone; its result is still handed over.
  template <class Job, class Then>
  void run(Job job, Then then, std::stop_source cancel = {}) {
    boost::asio::post(
        pool_, [this, job = std::move(job), then = std::move(then), cancel = std::move(cancel)]() mutable {
          if (stop_.stop_requested()) return;
          std::stop_callback const link{stop_.get_token(), [&cancel] { cancel.request_stop(); }};
          auto result = job(cancel.get_token());
          boost::asio::post(loop_,
                            [stop = stop_.get_token(), result = std::move(result), then = std::move(then)]() mutable {
                              if (!stop.stop_requested()) then(std::move(result));
                            });
        });
  }

  /// Asks every running job to give up.
  void request_stop() { stop_.request_stop(); }
  /// And waits for it.
  void stop() {
    request_stop();
    pool_.join();
  }

private:
  boost::asio::io_context& loop_;
  unsigned threads_;
  std::stop_source stop_;
  boost::asio::thread_pool pool_;
};

}  // namespace imageswarm::coordinator
